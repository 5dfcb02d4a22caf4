perseus plan small.csv -m 6 -b 75 --deadline 1.5
perseus plan small.csv -m 6 -b 75 --deadline 1.567499999
perseus plan small.csv -m 6 -b 75 --deadline 1.567500000 > $TMP/report
perseus plan small.csv -m 6 -b 75 --slowdown 0.99
perseus plan small.csv -m 6 -b 75 --slowdown 0
perseus plan small.csv -m 6 -b 75 --slowdown 1 > $TMP/report
perseus plan odd.csv -m 4 -b 75 --granularity job
