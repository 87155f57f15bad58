#!/usr/bin/env bash
# help.sh: every configuration key of the X-macro lists is explained by the --help of some command, and every command has examples.
set -euo pipefail
bad=0
help=$(mktemp)
trap 'rm -f "$help"' EXIT
mapfile -t commands < <("$VLB_TEST_PROGRAM" --help | sed -n '/^Commands$/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ ${#commands[@]} -ge 2 ] || { echo "no commands in --help"; exit 1; }
for command in "${commands[@]}"; do
  "$VLB_TEST_PROGRAM" "$command" --help >>"$help"
  [ "$("$VLB_TEST_PROGRAM" "$command" --help | sed -n 3p)" = Examples ] || { echo "$command --help does not begin with examples"; bad=1; }
done

cd "$VLB_TEST_ROOT"
mapfile -t keys < <(grep -rhoE '^  X\((INT|REAL|BOOL|ENUM|TEXT), *[a-z0-9_]+' --include='*.h' core sim experiments | sed 's/.*, *//' | sort -u)
[ ${#keys[@]} -ge 50 ] || { echo "only ${#keys[@]} keys found in the headers"; exit 1; }
for key in "${keys[@]}"; do
  grep -qwF -- "$key" "$help" || { echo "no --help explains $key"; bad=1; }
done
exit $bad
