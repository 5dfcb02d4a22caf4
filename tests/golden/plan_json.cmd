perseus plan small.csv -m 2 -b 75 --ranks 2 --json
perseus plan small.csv -b 75 --schedule order_pairs.json --optimizer-step 0.01 --gpus-per-stage 4 --slowdown 1.05 --json
