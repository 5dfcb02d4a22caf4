example_ledger $TMP/runs.db
perseus runs compare --ledger $TMP/runs.db 1 2
perseus runs compare --ledger $TMP/runs.db 1 2 3 --quality loss
perseus runs compare --ledger $TMP/runs.db 1 2 3 --quality loss:higher --per run
perseus runs compare --ledger $TMP/runs.db 1 2 3 4 5 6 --quality loss
perseus runs compare --ledger $TMP/runs.db 1 2 3 5 6 --quality loss --json
perseus runs compare --ledger $TMP/runs.db 4 5
perseus runs compare --ledger $TMP/runs.db 1 4 --quality accuracy
perseus runs compare --ledger $TMP/runs.db 1 2 --per dataset
perseus runs compare --ledger $TMP/runs.db 1 2 --quality loss:best
perseus runs compare --ledger $TMP/runs.db 1
