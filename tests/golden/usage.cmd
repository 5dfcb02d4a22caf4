perseus --help
perseus version
perseus version --json
perseus --version
perseus -V
perseus plan --help
perseus frontier --help
perseus allocate --help
perseus profile --help
perseus measure --help
perseus
perseus fly
perseus --fly
perseus version x
perseus plan
perseus plan small.csv small.csv
perseus plan small.csv -m
perseus plan small.csv --fly
