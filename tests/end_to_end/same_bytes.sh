#!/usr/bin/env bash
# same_bytes.sh: one thread, two threads, and a run that is killed with SIGKILL again and again until it is done leave the same
# bytes: demonstrations, weights, episodes, tables, plots.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .

# Everything but how it went: logs, clocks, locks, failures (experiments/store/store.h).
same() {
  diff -r -x log.txt -x timing.json -x lock -x failed "$1" "$2" || { echo "$1 and $2 differ"; exit 1; }
}
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

start=$(milliseconds)
"$VLB_TEST_PROGRAM" run tiny.toml --store one -q -j 1 >one.txt
whole=$(($(milliseconds) - start))
[ "$(find one -name episodes.csv | wc -l)" -eq 3 ] || { echo "expected the episodes of two arms and the floor"; exit 1; }

"$VLB_TEST_PROGRAM" run tiny.toml --store two -q -j 2 >two.txt
same one two

# Each try is killed after a share of the whole, from 1/20 to 9/20 and in the end more, so that moments of all kinds come up and
# there is an end: a unit of work that never fits before the kill would never get done.
tries=0
while :; do
  tries=$((tries + 1))
  [ $tries -le 60 ] || { echo "no end after $tries tries"; exit 1; }
  pause=$((whole * (1 + tries * 7 % 9 + tries / 10) / 20))
  "$VLB_TEST_PROGRAM" run tiny.toml --store killed -q -j 2 >killed.txt 2>killed.err &
  child=$!
  (sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))" && kill -KILL $child) 2>/dev/null &
  timer=$!
  code=0
  wait $child 2>/dev/null || code=$?
  kill $timer 2>/dev/null || true
  [ $code -ne 0 ] || break
  [ $code -eq 137 ] || { echo "try $tries ended with $code"; cat killed.err; exit 1; }
done
echo "done after $tries tries of a run of $whole ms"
[ $tries -gt 1 ] || { echo "never killed"; exit 1; }
same one killed
[ -z "$(find killed -name '*.tmp.*')" ] || { echo "leftovers:"; find killed -name '*.tmp.*'; exit 1; }
