perseus partition
perseus partition layers.csv layers.csv
perseus partition layers.csv -m 8
perseus partition layers.csv -p 4
perseus partition layers.csv -m 0 -p 4
perseus partition layers.csv -m 8 -p 14
perseus partition layers.csv -m 8 --boundaries 0
perseus partition layers.csv -m 8 --boundaries 0,6,6,13
perseus partition layers.csv -m 8 --boundaries 0,6,12
perseus partition layers.csv -m 8 --boundaries 1,6,13
perseus partition layers.csv -m 8 --boundaries 0,x,13
perseus partition layers.csv -m 8 -p 4 --boundaries 0,6,13
perseus partition layers.csv -m 8 -p 4 -b 75,80
perseus partition layers.csv -m 8 -p 4 --deadline 0
perseus partition layers.csv -m 8 -p 4 -b 75 --deadline 1.44
perseus partition layers.csv -m 8 -p 4 --objective given
perseus partition layer_times.csv -m 8 -p 4 --objective least-energy
perseus partition layers.csv -m 8 -p 4 --objective best
perseus partition layers.csv -m 8 -p 4 -b 75 --output $TMP/none/stages.csv
perseus partition small.csv -m 8 -p 4
grep -v ^5, layers.csv > $TMP/hole.csv; perseus partition $TMP/hole.csv -m 8 -p 4
grep -v ^5,backward layers.csv > $TMP/lacks.csv; perseus partition $TMP/lacks.csv -m 8 -p 4
perseus partition $TMP/none.csv -m 8 -p 4
