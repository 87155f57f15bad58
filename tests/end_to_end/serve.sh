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
  : >serving.txt # nothing of an earlier server, and there before the new one has opened it
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

# a robot in real time: 40 ticks of 50 ms; the virtual clock with the measured latencies has the same queue at every tick (LeRobot's semantics only
# roughly: experiments/wire/README.md)
for control in sync paper lerobot; do
  most=0
  [ $control != lerobot ] || most=40
  vlabench drive suite/0 --server "ws://127.0.0.1:$port" --set eval.control=$control --set eval.max_steps=40 --set eval.render_size=32 --trace $control.csv --json >$control.json
  grep -q '"outcome": "timeout"' $control.json || { echo "$control: another outcome"; cat $control.json; exit 1; }
  awk -F, -v most=$most 'NR > 1 {n++; differ += $4 != $8; sent += $6} END {
    if (n != 40 || differ > most || sent < 2) {print n " ticks, " differ " differ, " sent " sent"; exit 1}}' $control.csv || { echo "$control: not as on the virtual clock"; exit 1; }
done

# killed in the middle of an episode, and back: the episode goes on
vlabench drive suite/0 --server "ws://127.0.0.1:$port" --set eval.max_steps=100 --set eval.render_size=32 --set remote.retry_seconds=60 --json >back.json &
robot=$!
sleep 1
kill -KILL "$server"
wait "$server" 2>/dev/null || true
serve "$port"
wait "$robot" || { echo "the robot did not survive its server's restart"; exit 1; }
grep -q '"reconnections": 1' back.json || { echo "no reconnection:"; cat back.json; exit 1; }
grep -q '"outcome": "timeout"' back.json

# SIGTERM: exit code 0 and figures per client
kill -TERM "$server"
wait "$server" || { echo "SIGTERM: exit code $?"; exit 1; }
grep -q '^client ' served.txt || { echo "no figures at the end"; exit 1; }
server=

# killed, and away for good: a clear end
serve 0
vlabench drive suite/0 --server "ws://127.0.0.1:$port" --set eval.max_steps=200 --set eval.render_size=32 --set remote.retry_seconds=0.5 >lost.txt 2>lost.err &
robot=$!
sleep 1
kill -KILL "$server"
wait "$server" 2>/dev/null || true
server=
code=0
wait "$robot" || code=$?
[ $code -eq 4 ] || { echo "a server that is lost: exit code $code"; cat lost.err; exit 1; }
grep -q policy_error lost.txt || { echo "no policy error:"; cat lost.txt; exit 1; }
grep -q "ws://127.0.0.1:$port" lost.err

# never there
code=0
# shellcheck disable=SC2086
vlabench eval --policy "ws://127.0.0.1:$port" $episodes --set remote.connect_seconds=2 2>gone.txt >/dev/null || code=$?
[ $code -eq 1 ] || { echo "no server: exit code $code"; exit 1; }
grep -q "ws://127.0.0.1:$port" gone.txt
