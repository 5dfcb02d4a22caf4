perseus frontier small.csv -m 2 -b 75 --ranks 2
perseus frontier small.csv -m 2 -b 75 --ranks 2 --points 3
perseus frontier small.csv -m 2 -b 75 --ranks 2 --points 3 --json
perseus frontier small.csv -m 2 -b 75 --ranks 2 --json --pipelines 2
perseus frontier small.csv -m 2 -b 75 --ranks 2 --points 2 --csv $TMP/frontier.csv --chart $TMP/frontier.svg > $TMP/report
cat $TMP/frontier.csv
head -c 5 $TMP/frontier.svg
