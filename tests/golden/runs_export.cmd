example_ledger $TMP/runs.db
perseus runs export --ledger $TMP/runs.db
perseus runs export --ledger $TMP/runs.db --format csv 1 4 --output $TMP/runs.csv
cat $TMP/runs.csv
perseus runs export --ledger $TMP/runs.db --format json 5
perseus runs export --ledger $TMP/runs.db --format parquet
perseus runs export --ledger $TMP/runs.db --output /nonexistent/x.csv 4
perseus runs
perseus runs forget 1
