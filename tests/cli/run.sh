#!/usr/bin/env bash
# run.sh [--update] [CASE...]: golden-file tests of the command line. CASE.sh runs in an empty folder with vlabench on the path;
# what it writes must equal CASE.stdout, CASE.stderr and CASE.exit. --update writes those files instead: read the diff before
# committing it. Without cases: all. VLB_TEST_PROGRAM names the program (default: the release build). Inside a case, $data is
# tests/data. In outputs the folder of the case reads as SCRATCH, the repository as ROOT.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
program=$(realpath "${VLB_TEST_PROGRAM:-$root/build/release/vlabench}")
export data=$root/tests/data NO_COLOR=1

update=
if [ "${1:-}" = --update ]; then
  update=yes
  shift
fi
cases=("$@")
if [ ${#cases[@]} -eq 0 ]; then
  for script in "$here"/*.sh; do
    name=$(basename "$script" .sh)
    [ "$name" = run ] || cases+=("$name")
  done
fi

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
mkdir "$temp/bin"
ln -s "$program" "$temp/bin/vlabench"
export PATH=$temp/bin:$PATH

failed=()
for name in "${cases[@]}"; do
  rm -rf "$temp/work" && mkdir "$temp/work"
  code=0
  (cd "$temp/work" && exec bash -u "$here/$name.sh") >"$temp/stdout" 2>"$temp/stderr" </dev/null || code=$?
  printf '%s\n' "$code" >"$temp/exit"
  sed -i -e "s#$temp/work#SCRATCH#g" -e "s#$root#ROOT#g" "$temp/stdout" "$temp/stderr"
  for part in stdout stderr exit; do
    if [ -n "$update" ]; then
      cp "$temp/$part" "$here/$name.$part"
    elif ! diff -u --label "$name.$part, expected" --label "$name.$part, now" "$here/$name.$part" "$temp/$part"; then
      failed+=("$name.$part")
    fi
  done
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "differ: ${failed[*]} (tests/cli/run.sh --update writes them anew)"
  exit 1
fi
