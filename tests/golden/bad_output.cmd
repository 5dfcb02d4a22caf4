touch $TMP/file; perseus plan small.csv -m 2 -b 75 --output $TMP/file
perseus plan small.csv -m 2 -b 75 --output $TMP/file/below
perseus plan small.csv -m 2 -b 75 --output ''
perseus plan small.csv -m 2 -b 75 --chart $TMP/chart.gif
perseus plan small.csv -m 2 -b 75 --chart $TMP/none/chart.svg
perseus plan small.csv -m 2 -b 75 --frontier-chart $TMP/chart
perseus frontier small.csv -m 2 -b 75 --csv $TMP/none/frontier.csv
perseus frontier small.csv -m 2 -b 75 --chart $TMP/none/frontier.svg
ln -s /dev/full $TMP/full; perseus frontier small.csv -m 2 -b 75 --csv $TMP/full
perseus plan small.csv -m 2 -b 75 --json > /dev/full
perseus version > /dev/full
ls $TMP
