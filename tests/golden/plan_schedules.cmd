perseus plan small.csv -m 4 -b 75 --schedule interleaved --stages-per-rank 2
perseus plan small.csv -m 4 -b 75 --schedule gpipe --ranks 2
perseus plan small_split.csv -m 4 -b 75 --schedule dualpipev
perseus plan small_split.csv -m 4 -b 75 --schedule zb-h1
perseus plan small.csv -m 4 -b 75 --extra-warmup 2,1,0,0
perseus plan small.csv -b 75 --schedule order_1f1b.csv
perseus plan small.csv -b 75 --schedule order_pairs.json --optimizer-step 0.01 --data-load 0.001
perseus plan small.csv -m 4 -b 75 --data-load 0.002 --transfer 0.001:50 --grad-reduce 0.05:120 --optimizer-step 0.01
perseus plan small.csv -m 4 -b 75 --slope-quantum 5
perseus plan small.csv -m 2 -b 70,75,80,85 --optimizer-step 0.1 --grad-reduce 0.1:500
