#!/usr/bin/env bash
# two_at_work.sh: two processes run one ablation in one store at the same time, a third takes half of the cells in a store of its own, which is merged: no
# cell is made twice, and everything is the same bytes as when one process did it alone.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
same() { diff -r -x log.txt -x timing.json "$1" "$2" || { echo "$1 and $2 differ"; exit 1; }; }

"$VLB_TEST_PROGRAM" run tiny.toml --store alone -q -j 1 >alone.txt
"$VLB_TEST_PROGRAM" run tiny.toml --store shared -j 1 >first.txt 2>first.log &
first=$!
"$VLB_TEST_PROGRAM" run tiny.toml --store shared -j 1 >second.txt 2>second.log
wait $first
same alone shared
cmp first.txt second.txt
begun=$(cat first.log second.log | grep -cE 'cell [0-9]/6 [a-z ]+: ' || true)
[ "$begun" -eq 6 ] || { echo "6 cells were begun $begun times:"; cat first.log second.log; exit 1; }

# demonstrations alone somewhere else, merged, the rest here
mkdir -p part/cells
cp -r alone/cells/demos-* part/cells
"$VLB_TEST_PROGRAM" merge part --store whole -q >merged.txt
grep -q '1 cell copied, 0 skipped' merged.txt || { cat merged.txt; exit 1; }
"$VLB_TEST_PROGRAM" run tiny.toml --store whole -q -j 2 >whole.txt
same alone whole
