# The agent's command line; what it does is in tests/integration.
perseus agent --help
perseus agent --no-such
perseus agent --enable gpu-write
perseus agent --clock-range 1410
perseus agent --allow no-such-user
perseus agent --gpu-backend amdsmi
perseus agent --log-level error --socket-path $TMP/agent.sock --devices sim:nothing
perseus agent --socket-path $TMP/agent.sock --signing-key-path $TMP/none
perseus agent --devices sim:a100x2 --state-dir $TMP/saved --restore
perseus token --help
perseus token
perseus token issue --user alice
printf 'integration-test-signing-key!!!!' > $TMP/key
perseus token issue --signing-key-path $TMP/key --user alice --scope gpu-control,gpu-read --expires never
perseus token show --signing-key-path $TMP/key $(perseus token issue --signing-key-path $TMP/key --user alice --scope cpu-read --expires never)
perseus token show --signing-key-path $TMP/key a.b.c
ln -s $(command -v perseus) $TMP/zeusd; $TMP/zeusd --version; $TMP/zeusd --help; $TMP/zeusd serve --devices sim:a100
