perseus plan $TMP/none.csv -m 4
perseus plan . -m 4
printf '' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time\n0,forward,1410,0.05\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,fast,0.05,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,20\n0,forward,1395,nan,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,inf,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,-0.05,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,1e300,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,1e999,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,-20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n99999999,forward,1410,0.05,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,20\n2,forward,1410,0.05,20\n' > $TMP/p.csv; perseus profile $TMP/p.csv -b 75
# A stage without a class.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,20\n0,backward,1410,0.1,40\n1,forward,1410,0.05,20\n' > $TMP/p.csv; perseus plan $TMP/p.csv -b 75 -m 4
perseus plan small.csv -m 4 -b 75 --schedule dualpipev
# Classes of different clocks: fine one by one, not for one clock per stage.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,20\n0,forward,1400,0.051,19\n0,backward,1300,0.1,40\n0,backward,1200,0.11,35\n' > $TMP/p.csv; perseus plan $TMP/p.csv -b 75 -m 2 --slowdown 1.2 && perseus plan $TMP/p.csv -b 75 -m 2 --granularity stage
# Given twice.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.05,20\n0,backward,1410,0.1,40\n0,grad_reduce,0,0.1,10\n' > $TMP/p.csv; perseus plan $TMP/p.csv -b 75 -m 2 --grad-reduce 0.1
