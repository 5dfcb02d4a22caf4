perseus profile small.csv --blocking-power 75
perseus profile small.csv -b 75 --fit
perseus profile odd.csv -b 75 --fit
perseus profile odd.csv -b 75 --merge slowest --fit --json
