perseus plan small.csv -b 75 --schedule order_deadlock.csv
perseus plan small.csv -b 75 --schedule $TMP/none.csv
perseus plan small.csv -b 75 --schedule $TMP/none.json
perseus plan small.csv -b 75 --schedule order_1f1b.csv -m 4
perseus plan small.csv -b 75 --schedule order_1f1b.csv --ranks 4
perseus plan small.csv -b 75 --schedule order_1f1b.csv --layout v
perseus plan small.csv -b 75 --schedule order_1f1b.csv --stages-per-rank 2
perseus plan small.csv -b 75 --schedule order_pairs.json
printf '' > $TMP/s.csv; perseus plan small.csv -b 75 --schedule $TMP/s.csv
printf '0F0,0B0\n1F0,1G0\n' > $TMP/s.csv; perseus plan small.csv -b 75 --schedule $TMP/s.csv
printf '0F0,0B0\n1F0,1B0\n2F0,2B0\n3F0,3B0\n4F0,4B0\n' > $TMP/s.csv; perseus plan small.csv -b 75 --schedule $TMP/s.csv
printf '{"version": 1, "ranks": [[{"kind": "forward", "stage": 0}]]}' > $TMP/s.json; perseus plan small.csv -b 75 --schedule $TMP/s.json
printf '{"version": 1, "ranks": ' > $TMP/s.json; perseus plan small.csv -b 75 --schedule $TMP/s.json
