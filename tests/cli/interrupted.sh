# Ctrl-C: 130, and the same command goes on
cp -r "$data"/tiny/. .
vlabench run tiny.toml -q --json >first.json 2>err &
child=$!
until [ -e results/cells ]; do sleep 0.01; done
kill -INT $child
wait $child
echo "exit $?"
sed -E 's/-[0-9a-f]{12}/-HASH/' err
vlabench run tiny.toml -q >/dev/null
echo "exit $?"
