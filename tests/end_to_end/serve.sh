#!/usr/bin/env bash
# serve.sh: a policy in one process, the simulator in another, on 127.0.0.1. The same episodes as in one process, byte for byte; a server that is
# killed in the middle and comes back changes nothing; one that stays away is a clear end; SIGTERM is a graceful one.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
vlabench() { "$VLB_TEST_PROGRAM" "$@" -q; }
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true' EXIT

# Starts a server at port $1 (0: a free one) and waits until it can be reached; sets server and port.
serve() {
  "$VLB_TEST_PROGRAM" serve model --port "$1" -j 2 >served.txt 2>serving.txt &
  server=$!
  for _ in $(seq 600); do
    port=$(sed -n 's/^serving .*127\.0\.0\.1:\([0-9]*\) .*/\1/p' serving.txt)
    [ -z "$port" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  echo "the server did not start:"
  cat serving.txt
  exit 1
}

vlabench demos suite -o demos --per_task 1 --render_size 32 -j 2
vlabench train tiny.toml --arm cross --demos demos -o model --set train.steps=4 -j 2
episodes="--suite suite --episodes 6 --set eval.lanes=2 --set eval.render_size=32"
# shellcheck disable=SC2086 # several words
vlabench eval model $episodes --set eval.max_steps=40 -o local.csv -j 2 >local.txt

serve 0
# shellcheck disable=SC2086
vlabench eval --policy "ws://127.0.0.1:$port" $episodes --set eval.max_steps=40 -o remote.csv --json -j 2 >remote.json
cmp local.csv remote.csv || { echo "a wire between policy and simulator changed the episodes"; exit 1; }
grep -q '"server": "vlabench"' remote.json || { echo "the server's metadata are not in the result"; exit 1; }

# killed in the middle of an evaluation, and back a moment later
# shellcheck disable=SC2086
vlabench eval --policy "ws://127.0.0.1:$port" $episodes --set eval.max_steps=40 --set remote.retry_seconds=60 -o killed.csv --json -j 2 >killed.json &
evaluation=$!
sleep 0.3
kill -KILL "$server"
wait "$server" 2>/dev/null || true
serve "$port"
wait "$evaluation" || { echo "the evaluation did not survive its server's restart"; exit 1; }
cmp local.csv killed.csv || { echo "a server that was killed changed the episodes"; exit 1; }

# SIGTERM: exit code 0 and figures per client
kill -TERM "$server"
wait "$server" || { echo "SIGTERM: exit code $?"; exit 1; }
grep -q '^client ' served.txt || { echo "no figures at the end"; exit 1; }
server=

# away for good
code=0
# shellcheck disable=SC2086
vlabench eval --policy "ws://127.0.0.1:$port" $episodes --set remote.connect_seconds=2 2>gone.txt >/dev/null || code=$?
[ $code -eq 1 ] || { echo "no server: exit code $code"; exit 1; }
grep -q "ws://127.0.0.1:$port" gone.txt
