# a finished cell that changed afterwards is seen, named, and made again
cp -r "$data"/tiny/. .
vlabench run tiny.toml -q >/dev/null
cp -r results before
truncate -s 30 results/cells/eval-*/episodes.csv
vlabench list | sed -nE 's/-[0-9a-f]{12}/-HASH/gp'
vlabench report tiny.toml >/dev/null 2>err
echo "exit $?"
sed -E 's/-[0-9a-f]{12}/-HASH/g' err
vlabench run tiny.toml -q 2>&1 >/dev/null | sed -E "s/-[0-9a-f]{12}/-HASH/g"
echo "exit $?"
diff -r -x log.txt -x timing.json -x lock before results
