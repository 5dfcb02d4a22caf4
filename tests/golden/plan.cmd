# The report, for each way to say the deadline.
perseus plan small.csv --microbatches 6 --blocking-power 75
perseus plan small.csv -m 6 -b 75,75,75,80 --slowdown 1.1
perseus plan small.csv -m 6 -b 75 --deadline 1.6
perseus plan small.csv -m 6 -b 75 --deadline 4
perseus plan small.csv -m 6 -b 75 --point min-energy --gpus-per-stage 8 --pipelines 16
perseus plan small.csv -m 6 -b 75 --point tstar
perseus plan small.csv -m 6
