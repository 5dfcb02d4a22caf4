perseus plan small.csv -m 6 -b 75 --slowdown 1.1 --granularity kind
perseus plan small.csv -m 6 -b 75 --slowdown 1.1 --granularity ends
perseus plan small.csv -m 6 -b 75 --slowdown 1.1 --granularity stage
perseus plan small.csv -m 6 -b 75 --slowdown 1.1 --granularity job
perseus plan small.csv -m 6 -b 75 --slowdown 1.1 --switch-latency 20
