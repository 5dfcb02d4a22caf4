perseus compare small.csv -m 6 -b 75
perseus compare small.csv -m 6 -b 75 --slowdown 1.1 --switch-latency 20 --power-limit 250
perseus compare small.csv -m 6 -b 75 --point tstar --gpus-per-stage 2 --pipelines 4 --power-limit 300
perseus compare small.csv -m 2 -b 75 --ranks 2 --frontiers --points 3
perseus compare small.csv -m 2 -b 75 --ranks 2 --points 2 --slowdown 1.05 --json
perseus compare small.csv -m 2 -b 75 --ranks 2 --points 2 --csv $TMP/compare.csv --chart $TMP/compare.svg > $TMP/report
cat $TMP/compare.csv
head -c 5 $TMP/compare.svg
perseus compare odd.csv -m 4 -b 75 --switch-latency 1
perseus compare small.csv -m 4 -b 75 --slope-quantum 50 --power-limit 90
# A GPU left alone pays no latency, whatever the highest clocks are; shares of no energy are 0 %.
grep -Ev '0,forward,1410|2,backward,1410' small.csv > $TMP/q.csv && perseus compare $TMP/q.csv -m 6 -b 75 --switch-latency 20
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.1,0\n0,backward,1410,0.2,0\n' > $TMP/zero.csv && perseus compare $TMP/zero.csv -m 2 -b 0
perseus compare small.csv -m 6 -b 75 --deadline 1.5
perseus compare small.csv -m 6 -b 75 --deadline 2 --slowdown 1.1
perseus compare small.csv -m 6 -b 75 --power-limit 0
perseus compare small.csv -m 6 -b 75 --power-limit x
perseus compare small.csv -m 6 -b 75 --points 0
perseus compare small.csv -m 6 -b 75 --chart $TMP/chart.gif
perseus compare
perseus compare --help
