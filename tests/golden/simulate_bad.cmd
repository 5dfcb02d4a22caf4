perseus simulate small.csv
perseus simulate small.csv -m 6 --iterations 0
perseus simulate small.csv -m 6 --iterations -5
perseus simulate small.csv -m 6 --plans 0
perseus simulate small.csv -m 6 --policy fastest
perseus simulate small.csv -m 6 --compare perseus,,envpipe
perseus simulate small.csv -m 6 --sync -1
perseus simulate small.csv -m 6 --reaction soon
perseus simulate small.csv -m 6 --seed 1.5
perseus simulate small.csv -m 6 --straggler 1
perseus simulate small.csv -m 6 --straggler x:1.2
perseus simulate small.csv -m 6 --straggler 0:
perseus simulate small.csv -m 6 --straggler 0:0.9
perseus simulate small.csv -m 6 --straggler 0:nan
perseus simulate small.csv -m 6 --straggler 0:2000
perseus simulate small.csv -m 6 --straggler 0:1.2:5-3
perseus simulate small.csv -m 6 --straggler 0:1.2:5-
perseus simulate small.csv -m 6 --straggler 0:1.2:-3
perseus simulate small.csv -m 6 --straggler 1:1.2
perseus simulate small.csv -m 6 --pipelines 4 --straggler 4:1.2
perseus simulate small.csv -m 6 --straggler 0:1.2:1000
perseus simulate small.csv -m 6 -b 75 --straggler 0:100 --straggler 0:11:7
perseus simulate small.csv -m 6 --random heat
perseus simulate small.csv -m 6 --random thermal:
perseus simulate small.csv -m 6 --random thermal:each=5
perseus simulate small.csv -m 6 --random thermal:every
perseus simulate small.csv -m 6 --random thermal:every=0
perseus simulate small.csv -m 6 --random thermal:every=often
perseus simulate small.csv -m 6 --random thermal:lasts=0.5
perseus simulate small.csv -m 6 --random thermal:degree=2-1.5
perseus simulate small.csv -m 6 --random thermal:degree=0.5
perseus simulate small.csv -m 6 --random input-stall:lasts=3
perseus simulate small.csv -m 6 --random thermal --random thermal
perseus simulate small.csv -m 6 -b 75 --trace nowhere.csv
printf 'iteration,pipeline,degree\n5,0,1.5\n6,1,2\n' > $TMP/pipeline.csv
perseus simulate small.csv -m 6 -b 75 --trace $TMP/pipeline.csv
printf 'iteration,pipeline,degree\n5,0,1.5\n6,0,0.5\n' > $TMP/degree.csv
perseus simulate small.csv -m 6 -b 75 --trace $TMP/degree.csv
printf 'iteration,pipeline,degree\n5,0,1.5\n\n5,0,1\n' > $TMP/twice.csv
perseus simulate small.csv -m 6 -b 75 --trace $TMP/twice.csv
printf 'when,pipeline,degree\n5,0,1.5\n' > $TMP/header.csv
perseus simulate small.csv -m 6 -b 75 --trace $TMP/header.csv
printf 'iteration,pipeline,degree\n5,0\n' > $TMP/short.csv
perseus simulate small.csv -m 6 -b 75 --trace $TMP/short.csv
perseus simulate small.csv -m 6 -b 75 --chart run.gif
perseus simulate small.csv -m 6 -b 75 --csv /nowhere/run.csv
perseus simulate small.csv -m 6 -b 75 --events /nowhere/events.csv
perseus simulate small.csv -m 6 -b 75 --sync 1e300
