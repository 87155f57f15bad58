#!/usr/bin/env bash
# ablations.sh: every ablation file that is compiled in runs from start to finish under its test preset, in one store: tiny pictures, one
# demonstration and one episode per task, two steps of training. What is checked is that nothing of it is refused and that every arm gets its row.
set -euo pipefail

vlabench() { "$VLB_TEST_PROGRAM" "$@"; }
files=$(vlabench list --json | grep -o '"ablations/[a-z0-9_]*.toml"' | tr -d '"')
[ "$(wc -w <<<"$files")" -ge 22 ] || { echo "only these ablations are listed: $files"; exit 1; }
for file in $files; do
  name=$(basename "$file" .toml)
  vlabench run "$file" --preset test --store store -q -j 2 >table.md || { echo "$file failed"; exit 1; }
  arms=$(vlabench run "$file" --preset test --store store -n --json | grep -c '"eval [^"]*"' || true)
  [ "$arms" -gt 0 ] || { echo "$file: no rollout in its plan"; exit 1; }
  ! grep -E 'INCOMPLETE|absent|failed' table.md || { echo "$file: an arm has no result"; exit 1; }
  [ -s "store/$name-test/table.md" ] || { echo "$file: no table"; exit 1; }
  # everything is there: a second run has nothing to do
  vlabench run "$file" --preset test --store store -n | grep -q 'to do: nothing' || { echo "$file: work is left after the run"; exit 1; }
done
