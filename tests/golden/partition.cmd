# Layers to stages: the report, its notes, JSON, and the way on to a plan.
perseus partition layers.csv -m 8 -p 4 -b 75 --output $TMP/stages.csv
head -4 $TMP/stages.csv
wc -l < $TMP/stages.csv
perseus plan $TMP/stages.csv -m 8 -b 75
perseus partition layers.csv -m 8 -p 4 -b 75 --boundaries 0,4,8,11,13 --objective given --gpus-per-stage 8 --pipelines 2
perseus partition layers.csv -m 8 -p 4 -b 75 --deadline 1.46
perseus partition layers.csv -m 8 -p 4 -b 75 --deadline 2
perseus partition layers.csv -m 8 -p 2 -b 75 --json --transfer 0.001
perseus partition layers.csv -m 8 -p 2 -b 75 --schedule interleaved --stages-per-rank 2
perseus partition layer_times.csv -m 8 -p 4 -b 75
perseus partition layer_times.csv -m 4 --boundaries 0,6,13 --json -b 75
perseus partition layer_times.csv -m 8 -p 4 -b 75 --output $TMP/times.csv > $TMP/report; head -2 $TMP/times.csv
