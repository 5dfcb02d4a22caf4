perseus plan small.csv -m 2 -b 75 --ranks 2 --output $TMP/new/out --chart $TMP/chart.pdf --frontier-chart $TMP/frontier.png
ls $TMP $TMP/new/out
cat $TMP/new/out/plan.json
cat $TMP/new/out/freqs_pipeline_00000.py
cat $TMP/new/out/frontier.csv
cat $TMP/new/out/trace.json
head -c 5 $TMP/chart.pdf
# Reproducible to the byte, and readable again by our own parser's rules: a Python literal.
perseus plan small.csv -m 2 -b 75 --ranks 2 --output $TMP/again > $TMP/report && diff -r $TMP/new/out $TMP/again
/usr/bin/python3 -c 'import ast, sys; print(ast.literal_eval(open(sys.argv[1]).read()))' $TMP/again/freqs_pipeline_00000.py
