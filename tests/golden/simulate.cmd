# The report; stragglers by themselves, at random, and from a trace.
perseus simulate small.csv -m 6 -b 75 --pipelines 4 -n 100 --straggler 1:1.2:10-19 --straggler 1:1.5:15-29 --reaction 4
perseus simulate small.csv -m 6 -b 75 --pipelines 16 --gpus-per-stage 8 --sync 0.1 --random thermal:every=10m,lasts=50,degree=1.2-1.4 --random input-stall --seed 3 --reaction 4
perseus simulate small.csv -m 6 -b 75 --pipelines 4 -n 1 --compare envpipe
perseus simulate small.csv -m 6 -b 75 --pipelines 4 --straggler 0:1.3 --policy max-clock --compare perseus,intrinsic-only --granularity stage --plans 8
perseus simulate small.csv -m 2 --ranks 2 -b 75 --pipelines 3 -n 4 --straggler 2:1.5:1-2 --compare max-clock --json --csv $TMP/iterations.csv --events $TMP/events.csv
cat $TMP/iterations.csv $TMP/events.csv
perseus simulate small.csv -m 2 --ranks 2 -b 75 --pipelines 3 -n 4 --random thermal:every=2 --compare max-clock --json
# What was drawn gives the same run when it is read back, and the same seed the same bytes.
perseus simulate small.csv -m 6 -b 75 --pipelines 16 -n 500 --random thermal:every=200,lasts=20 --random fail-slow --seed 7 --reaction 9 --csv $TMP/drawn.csv --events $TMP/drawn > $TMP/report
perseus simulate small.csv -m 6 -b 75 --pipelines 16 -n 500 --trace $TMP/drawn --reaction 9 --csv $TMP/read.csv --events $TMP/read > $TMP/report
wc -l < $TMP/drawn
cmp $TMP/drawn $TMP/read && cmp $TMP/drawn.csv $TMP/read.csv
# Times: an iteration takes 1.5675 s.
printf 'time_s,pipeline,degree\n3,0,1.4\n3.1,0,1.2\n20,0,1\n' > $TMP/times.csv
perseus simulate small.csv -m 6 -b 75 -n 10 --trace $TMP/times.csv --compare max-clock --events /dev/stdout
perseus simulate small.csv -m 6 -b 75 --pipelines 4 -n 100 --straggler 1:1.2:10-19 --chart $TMP/run.svg --compare envpipe > $TMP/report
head -c 5 $TMP/run.svg
# Waiting that takes more than computing is noted: parts of the energy may be below zero.
perseus simulate small.csv -m 6 -b 1000 -n 5 --pipelines 2 --straggler 0:1.5 --compare max-clock --plans 4
# Where nothing takes energy, no part is a share of it.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.1,0\n0,backward,1410,0.2,0\n' > $TMP/zero.csv && perseus simulate $TMP/zero.csv -m 2 -b 0 -n 3 --compare max-clock
