# A power cap, alone and with a deadline; what the job draws over an iteration.
perseus plan small.csv -m 6 -b 75 --power-cap 800
perseus plan small.csv -m 6 -b 75 --power-cap 12kW
perseus plan small.csv -m 6 -b 75 --power-cap 0
perseus plan small.csv -m 6 -b 75 --power-cap 100
perseus plan small.csv -m 6 -b 75 --power-cap 565.011 --granularity job
perseus plan small.csv -m 6 -b 75 --power-cap 2000 --transfer 0.005:20
perseus plan small.csv -m 6 -b 75 --power-cap 800 --deadline 1.6
perseus plan small.csv -m 6 -b 75 --power-cap 500 --deadline 1.6
# Waiting for a deadline takes less power than any iteration.
perseus plan small.csv -m 6 -b 75 --power-cap 400 --deadline 5
perseus plan small.csv -m 6 -b 75 --power-cap 800 --slowdown 1.1
perseus plan small.csv -m 6 -b 75 --power-cap 102400 --gpus-per-stage 8 --pipelines 16 --json | tr -s '\n ' ' ' | grep -o '"power": .*}, "ranks"\|"power": .*"cap": {[^}]*}'
perseus plan small.csv -m 2 -b 75 --power-csv $TMP/power.csv > $TMP/report && cat $TMP/power.csv
perseus plan small.csv -m 2 -b 75 --power-csv $TMP/no/power.csv > $TMP/report
# One stage and one clock: the power never changes.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.1,10\n0,backward,1410,0.2,20\n' > $TMP/one.csv && perseus plan $TMP/one.csv -m 1 -b 50 | grep 'largest steps'
