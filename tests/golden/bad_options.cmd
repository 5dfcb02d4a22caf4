perseus plan small.csv
perseus plan small.csv -m 0
perseus plan small.csv -m -3
perseus plan small.csv -m 1.5
perseus plan small.csv -m 99999999999999999999
perseus plan small.csv -m 1000000000 -b 75
perseus plan small.csv -m 6 --schedule 1f2b
perseus plan small.csv -m 6 --ranks 0
perseus plan small.csv -m 6 --ranks 5
perseus plan small.csv -m 6 --ranks 4 --schedule interleaved --stages-per-rank 2
perseus plan small.csv -m 6 --schedule looped-bfs --stages-per-rank 3
perseus plan small.csv -m 6 --layout w
perseus plan small.csv -m 6 --layout v
perseus plan small.csv -m 6 --group-size 4
perseus plan small.csv -m 6 --extra-warmup 1,2
perseus plan small.csv -m 6 --extra-warmup 1,,2,3
perseus plan small.csv -m 6 --blocking-power x
perseus plan small.csv -m 6 --blocking-power 75,75
perseus plan small.csv -m 6 --blocking-power -1
perseus plan small.csv -m 6 --blocking-power nan
perseus plan small.csv -m 6 --blocking-power 1e9
perseus plan small.csv -m 4 --schedule interleaved --stages-per-rank 2 --blocking-power 70,75,80,85
perseus plan small.csv -m 6 --merge median
perseus plan small.csv -m 6 --transfer 0
perseus plan small.csv -m 6 --transfer 0.1:x
perseus plan small.csv -m 6 --granularity fine
perseus plan small.csv -m 6 --point middle
perseus plan small.csv -m 6 --deadline soon
perseus plan small.csv -m 6 --deadline 1e30
perseus plan small.csv -m 6 --deadline 2 --slowdown 1.1
perseus plan small.csv -m 6 --point tmin --deadline 2
perseus plan small.csv -m 6 -b 75 --slowdown 1e300
perseus plan small.csv -m 6 --switch-latency -1
perseus frontier small.csv -m 6 --points 0
