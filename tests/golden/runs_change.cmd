example_ledger $TMP/runs.db
perseus runs add-result --ledger $TMP/runs.db 2 loss=2.5 accuracy=0.71 'best of=3'
perseus runs add-result --ledger $TMP/runs.db 2 loss=2.5 accuracy=0.71 stopped=nan
perseus runs note --ledger $TMP/runs.db 2 'a better seed'
perseus runs show --ledger $TMP/runs.db 2
perseus runs note --ledger $TMP/runs.db 2 ''
perseus runs show --ledger $TMP/runs.db 2 --json | grep -E 'note|loss|stopped'
perseus runs note --ledger $TMP/runs.db 2
perseus runs add-result --ledger $TMP/runs.db 99 loss=1
perseus runs add-result --ledger $TMP/none.db 1 loss=1
