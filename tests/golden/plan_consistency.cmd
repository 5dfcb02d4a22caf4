# The documents of a plan agree with each other and with the profile.
perseus plan small.csv -m 6 -b 75 -o $TMP/a > $TMP/report && /usr/bin/python3 consistency.py $TMP/a small.csv
perseus plan small.csv -m 6 -b 75,76,77,78 --slowdown 1.3 --gpus-per-stage 8 --pipelines 3 -o $TMP/b > $TMP/report && /usr/bin/python3 consistency.py $TMP/b small.csv
perseus plan small.csv -m 6 -b 75 --deadline 9 -g ends -o $TMP/c > $TMP/report && /usr/bin/python3 consistency.py $TMP/c small.csv
perseus plan small.csv -m 6 -b 75 --switch-latency 15 --slowdown 1.05 -o $TMP/d > $TMP/report && /usr/bin/python3 consistency.py $TMP/d small.csv
perseus plan small_split.csv -m 8 -b 75 --schedule zbv -o $TMP/e > $TMP/report && /usr/bin/python3 consistency.py $TMP/e small_split.csv
perseus plan small_split.csv -m 8 -b 75 --schedule dualpipev --data-load 0.001 --optimizer-step 0.02 --grad-reduce 0.03 -o $TMP/f > $TMP/report && /usr/bin/python3 consistency.py $TMP/f small_split.csv
perseus plan small_split.csv -m 8 -b 75 --schedule dualpipe -o $TMP/g > $TMP/report && /usr/bin/python3 consistency.py $TMP/g small_split.csv
perseus plan small.csv -m 8 -b 75 --schedule early-recompute-1f1b -o $TMP/h > $TMP/report && /usr/bin/python3 consistency.py $TMP/h small.csv
(cat small.csv; for s in 0 1 2 3; do echo $s,transfer,0,0.003,0.5; done) > $TMP/p.csv && perseus plan $TMP/p.csv -m 5 -b 75 -o $TMP/i > $TMP/report && /usr/bin/python3 consistency.py $TMP/i $TMP/p.csv
grep -Ev '0,forward,1410|2,backward,1410' small.csv > $TMP/q.csv && perseus plan $TMP/q.csv -m 6 -b 75 --switch-latency 15 --slowdown 1.05 -o $TMP/j > $TMP/report && /usr/bin/python3 consistency.py $TMP/j $TMP/q.csv
