#!/usr/bin/env bash
# paper.sh: paper/paper.tex builds from what `vlabench report` writes, with every number a command. TeX is optional: without latexmk nothing is tested.
set -euo pipefail
command -v latexmk >/dev/null || { echo "no latexmk: skipped"; exit 0; }

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
"$VLB_TEST_PROGRAM" run tiny.toml -q >/dev/null
"$VLB_TEST_PROGRAM" report tiny.toml tiny.toml -q >/dev/null
cp "$VLB_TEST_ROOT/paper/paper.tex" .
latexmk -pdf -interaction=nonstopmode -usepretex="\\def\\resultsdir{$PWD/results}" paper.tex >latexmk.txt 2>&1 || { tail -n 30 latexmk.txt; exit 1; }
[ -s paper.pdf ]
if grep -E 'Undefined|undefined|Missing' paper.log; then exit 1; fi
# no number of a result in the text: what digits there are name the paper, robots and sizes of type
text=$(sed -n '/begin{document}/,$p' "$VLB_TEST_ROOT/paper/paper.tex" | sed -e 's/arXiv [0-9.]*//g; s/SO-10[01]//g')
if grep -E '[0-9]' <<<"$text"; then echo "a number typed by hand in paper.tex"; exit 1; fi
