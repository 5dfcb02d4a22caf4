# Power of a site among jobs: the most work, fair, without need; what is refused; paths relative to the file.
perseus allocate jobs.csv --site-limit 130000
perseus allocate jobs.csv --site-limit 130000 --fair
perseus allocate jobs.csv --site-limit 300000
perseus allocate jobs.csv --site-limit 130000 --chart $TMP/site.svg > $TMP/report && grep -c '<path' $TMP/site.svg | sed 's/^[1-9][0-9]*$/drawn/'
perseus allocate jobs.csv --site-limit 130000 --chart $TMP/site.gif
perseus allocate jobs.csv --site-limit 110000 --json
perseus allocate jobs.csv --site-limit 110000 --fair --json | grep -v '{"job"'
perseus allocate jobs.csv --site-limit 103225.391 | head -n 4
perseus allocate jobs.csv --site-limit 90000
perseus allocate jobs.csv --site-limit 90000 --fair
perseus allocate jobs.csv --site-limit 0
perseus allocate jobs.csv
perseus allocate --site-limit 1000
perseus allocate jobs.csv other.csv --site-limit 1000
perseus allocate missing.csv --site-limit 1000
mkdir $TMP/site && cp small.csv order_1f1b.csv $TMP/site && printf 'job,profile,schedule,microbatches,blocking_power_w\na,small.csv,order_1f1b.csv,,75\n' > $TMP/site/jobs.csv && perseus allocate $TMP/site/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w\na,small.csv,6,75\nb,nowhere.csv,6,75\n' > $TMP/jobs.csv && cp small.csv $TMP && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w\na,small.csv,,75\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w,schedule\na,small.csv,6,75,zigzag\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w\na,small.csv,6,75\na,small.csv,6,75\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w,weight\na,small.csv,6,75,0\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches,blocking_power_w,pipelines\na,small.csv,6,75,1.5\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
printf 'job,profile,microbatches\na,small.csv,6\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 2000
# A kW more than a small site needs brings no more than full speed.
printf 'job,profile,microbatches,blocking_power_w\na,small.csv,6,75\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 600 | grep -E '^(work|a kW)'
# A job that takes nothing has no share.
printf 'stage,instruction,frequency,time,energy\n0,forward,1410,0.1,0\n0,backward,1410,0.2,0\n' > $TMP/zero.csv && printf 'job,profile,microbatches,blocking_power_w\na,zero.csv,6,0\n' > $TMP/jobs.csv && perseus allocate $TMP/jobs.csv --site-limit 100
