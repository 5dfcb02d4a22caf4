perseus runs list
perseus runs list --ledger $TMP/none.db
example_ledger $TMP/runs.db
perseus runs list --ledger $TMP/runs.db
PERSEUS_LEDGER=$TMP/runs.db perseus runs list --limit 2
perseus runs list --ledger $TMP/runs.db --since 2026-08-02 --host node1 --command train.py
perseus runs list --ledger $TMP/runs.db --command none
perseus runs list --ledger $TMP/runs.db --csv
perseus runs list --ledger $TMP/runs.db --json --since 2026-08-04T12:00
perseus runs show --ledger $TMP/runs.db 1
perseus runs show --ledger $TMP/runs.db 4
perseus runs show --ledger $TMP/runs.db 5
perseus runs show --ledger $TMP/runs.db f000
perseus runs show --ledger $TMP/runs.db a0000000 --json
perseus runs show --ledger $TMP/runs.db 99
