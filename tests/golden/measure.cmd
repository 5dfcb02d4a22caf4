perseus measure
perseus measure --rate 0 true
perseus measure --rate 1001 true
perseus measure --result tokens true
perseus measure --result 'a b=1' true
perseus measure --zone DE true
perseus measure --chart power.gif true
perseus measure --chart none/power.svg true
perseus measure --output none/report true
perseus measure --output . true
perseus measure --csv none/power.csv true
perseus measure --devices sim:b9000 true
perseus measure --fly true
perseus measure --no-ledger --devices sim:a100 -- no-such-command
perseus measure --no-ledger --devices sim:a100x2,fault=lost:1 --intensity 400 --price 0.3:EUR --pue 1.2 --embodied 150 --result loss=2.91 --note 'by hand' -- sh -c 'echo out; exit 3' 2>$TMP/report; echo "exit $?"; ./mask-numbers <$TMP/report
perseus measure --no-ledger --devices sim:a100 --json -- true | ./mask-numbers
LOCAL_RANK=1 SLURM_JOB_ID=7 SLURM_STEP_ID=0 XDG_RUNTIME_DIR=$TMP perseus measure --ledger $TMP/runs.db --devices sim:a40 --output $TMP/report -- sh -c 'kill -9 $$'; echo "exit $?"; ./mask-numbers <$TMP/report
