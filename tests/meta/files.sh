#!/usr/bin/env bash
# files.sh: files stay under 600 lines, functions under 80, and no file holds a note of unfinished work or the path of one machine.
set -euo pipefail
cd "$VLB_TEST_ROOT"
bad=0

mapfile -t sources < <(find core sim experiments tests -name '*.[ch]' -o -name '*.cpp')
long=$(wc -l "${sources[@]}" | awk '$1 > 600 && $2 != "total" {print $2 ": " $1 " lines, more than 600"}')
# a function opens on a line that starts in the first column and ends with a brace, and closes with a brace alone
long+=$(awk '/^[a-zA-Z].*\) *\{$/ {name = $0; first = FNR}
             /^}$/ && first {if (FNR - first > 80) print FILENAME ":" first ": " FNR - first " lines, more than 80: " name; first = 0}
             FNR == 1 {first = 0}' "${sources[@]}")
[ -z "$long" ] || { echo "$long"; bad=1; }

# written in halves so that this file does not find itself
words="\b(TO""DO|FIX""ME|XX""X|HA""CK)\b|[^a-z.](/ho""me|/wo""rk)/"
found=$(find . -path ./.git -prune -o -path ./build -prune -o -path './build-*' -prune -o -path ./results -prune -o \
  -type f \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.sh' -o -name '*.md' -o -name '*.toml' -o -name '*.txt' -o -name '*.xml' \
  -o -name '*.cmake' -o -path './scripts/*' \) -print0 | xargs -0 grep -nE "$words" || true)
[ -z "$found" ] || { echo "$found"; bad=1; }
exit $bad
