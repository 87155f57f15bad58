#!/usr/bin/env bash
# one_cell.sh: deleting the folder of one cell makes that cell alone again, with the same bytes; and every file of the report, the page included,
# is the same bytes when it is written again from the stored cells, by another order of commands or into a copy of the store.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
vlabench() { "$VLB_TEST_PROGRAM" "$@" -q; }
same() { diff -r -x log.txt -x timing.json -x lock "$1" "$2" || { echo "$1 and $2 differ"; exit 1; }; }

vlabench run tiny.toml >first.md
vlabench report tiny.toml tiny.toml >summary.txt
cp -r results before

for kind in eval train; do
  cell=$(find results/cells -name "$kind-*" | sort | head -n 1)
  rm -r "$cell"
  touch mark
  vlabench run tiny.toml >again.md
  cmp first.md again.md
  [ -e "$cell/done" ] || [ $kind = train ] || { echo "$cell was not made again"; exit 1; }
  # a training whose rollouts are all there is not needed, so nothing runs
  made=$(find results/cells -name timing.json -newer mark | wc -l)
  [ "$made" -le 1 ] || { echo "deleting a $kind cell made $made cells"; exit 1; }
  [ -e "$cell" ] || cp -r "before/cells/$(basename "$cell")" results/cells
  vlabench report tiny.toml tiny.toml >/dev/null
  same before results
done

cp -r results other
rm -r other/tiny other/index.html other/manifest.json other/claims.* other/results.tex
vlabench report tiny.toml tiny.toml --store other >other.txt
cmp summary.txt other.txt
same results other

# the page is one file: nothing in it points elsewhere
if grep -oE '(src|href)="[^"#d][^"]{0,40}|url\(|@import|<script' results/index.html; then echo "the page asks for something"; exit 1; fi
# numbers of the table lead to stored episodes: k/n of every arm is what its episodes.csv holds
for arm in cross self; do
  cell=$(sed -n "/\"ablation\": \"tiny\"/,\$p" results/manifest.json | grep -B1 "\"what\": \"eval $arm\"" | sed -n 's/.*"cell": "\(.*\)",/\1/p' | head -n 1)
  counted=$(awk -F, 'NR > 1 {n++; k += $5 == "success"} END {print k + 0 "," n}' "results/cells/$cell/episodes.csv")
  grep -q "^$arm,.*,$counted," results/tiny/table.csv || { echo "$arm: episodes.csv says $counted"; cat results/tiny/table.csv; exit 1; }
done
