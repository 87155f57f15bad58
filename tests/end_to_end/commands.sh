#!/usr/bin/env bash
# commands.sh: every command once, on two threads, small: demos, train, eval, render, run, report, list, doctor, bench.
# Under a sanitizer this is the widest net.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
vlabench() { "$VLB_TEST_PROGRAM" "$@" -q -j 2; }
holds() { grep -q "$2" "$1" || { echo "$1 does not hold '$2':"; cat "$1"; exit 1; }; }

vlabench demos suite -o demos --per_task 1 --render_size 32
[ "$(find demos -name '*.hdf5' | wc -l)" -eq 1 ]
vlabench train tiny.toml --arm cross --demos demos -o model --set train.steps=4
[ "$(wc -l <model/loss.csv)" -eq 5 ]
vlabench eval model --suite suite --episodes 2 -o episodes.csv --info eval_info.json --json >eval.json
holds eval.json '"episodes": 2'
[ "$(wc -l <episodes.csv)" -eq 3 ]
holds eval_info.json '"n_episodes": 2'
vlabench render suite/0 --size 64 -o start.png
head -c 4 start.png | tail -c 3 | grep -q PNG

vlabench run tiny.toml >table.md
holds table.md '| cross '
[ "$(find results -name eval_info.json | wc -l)" -eq 3 ]
vlabench report tiny.toml >again.md
cmp table.md again.md
vlabench list >list.txt
holds list.txt 'eval-'
vlabench doctor >doctor.txt
holds doctor.txt renderer
vlabench bench train tiny.toml --arm cross --seconds 0.2 >bench.txt
