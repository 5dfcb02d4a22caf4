# The job server's command line; what it does is in tests/integration.
perseus serve --help
perseus serve --no-such
perseus serve --listen
perseus serve --database $TMP/no/such/server.db --listen 127.0.0.1:0 --log-level error
perseus serve --database $TMP/server.db --listen nowhere --log-level error
perseus serve --database $TMP/server.db --threads 0
perseus serve --database $TMP/server.db --token-key $TMP/none
perseus serve --database $TMP/server.db --require-token-for-zeus
perseus serve --database $TMP/server.db --zeus-scheduler Other
perseus serve --database $TMP/server.db --socket-permissions 888
perseus serve
ZEUS_PFO_LOG_LEVEL=LOUD perseus serve --database $TMP/server.db
ZEUS_PFO_SCHEDULER_ARGS=x perseus serve --database $TMP/server.db
printf 'no database' > $TMP/other.db; perseus serve --database $TMP/other.db --listen 127.0.0.1:0 --log-level error; cat $TMP/other.db
