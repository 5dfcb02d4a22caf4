# By the hour, and with pausing, embodied carbon and a deadline within an hour.
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --iterations 20000 --deadline 11
perseus pace small.csv -m 6 -b 75 --pipelines 4 --overhead 0.2 --carbon hours.csv --zone NORTH --duration 5 --from 2026-06-05T13:20Z --deadline 2026-06-05T23:30Z --pue 1.25 --idle-power 60 --embodied 150 --lifetime 5
# Prices below zero.
perseus pace small.csv -m 6 -b 75 --price hours.csv --duration 6 --deadline '12 h' --idle-power 60 --gpu-hour-price 0.002
perseus pace small.csv -m 2 --ranks 2 -b 75 --carbon hours.csv --zone north --iterations 9000 --deadline 2 --json --csv $TMP/hours.csv --chart $TMP/pace.svg
cat $TMP/hours.csv
head -c 5 $TMP/pace.svg
perseus pace small.csv -m 2 --ranks 2 -b 75 --price hours.csv --iterations 9000 --deadline 2 --idle-power 30 --json
# All that fits; an hour of deadline is not known then.
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --duration 12 --deadline 12
# What is wrong.
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --iterations 20000 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --iterations 20000 --deadline 13
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 20000 --deadline 5
perseus pace small.csv -m 6 -b 75 --price hours.csv --zone south --iterations 20000 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone south --iterations 20000 --deadline 0
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone south --iterations 20000 --deadline 2026-06-05T11:00Z
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone south --iterations 20000 --deadline soon
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 0 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 5 --duration 5 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 5
perseus pace small.csv -m 6 -b 75 --iterations 5 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --price hours.csv --iterations 5 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 5 --deadline 5 --pue 0.9
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 5 --deadline 5 --gpu-hour-price 2
perseus pace small.csv -m 6 -b 75 --price hours.csv --iterations 5 --deadline 5 --embodied 150
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --iterations 5 --deadline 5 --from today
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --iterations 5 --deadline 5 --chart $TMP/pace.gif
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --iterations 0.5 --deadline 5
perseus pace small.csv -m 6 -b 75 --carbon hours.csv --zone north --duration 0.0004 --deadline 5
perseus pace small.csv -m 6 -b 75 --price hours.csv --iterations 5 --deadline 5 --lifetime 3
# One clock: all courses are the same, and none saves or loses anything.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.1,10\n0,backward,1410,0.2,20\n' > $TMP/one.csv && perseus pace $TMP/one.csv -m 4 -b 50 --carbon hours.csv --zone north --iterations 5 --deadline 2
