#!/usr/bin/env bash
# scripts.sh: every script can be executed, is strict, and passes shellcheck where that is installed.
set -euo pipefail
cd "$VLB_TEST_ROOT"
bad=0
mapfile -t scripts < <(grep -lrE '^#!.*\bbash' scripts .ci tests --include='*' 2>/dev/null | sort)
for script in "${scripts[@]}"; do
  [ -x "$script" ] || { echo "$script: not executable"; bad=1; }
  grep -q '^set -euo pipefail$' "$script" || { echo "$script: no set -euo pipefail"; bad=1; }
done
if command -v shellcheck >/dev/null; then
  shellcheck "${scripts[@]}" || bad=1
fi
exit $bad
