#!/usr/bin/env bash
# pretrain.sh: a VLM from scenes to bfloat16, with one thread, with two, and killed with SIGKILL again and again: the same bytes. Then it is
# the frozen VLM of a policy, which trains and acts.
set -euo pipefail

cp -r "$VLB_TEST_ROOT"/tests/data/tiny/. .
cat >vlm.toml <<'TOML'
title = "tiny"
[captions]
suites = "suite"
episodes_per_task = 20
every = 40
render_size = 16
[model]
text_hidden = 16
text_mlp = 24
text_heads = 2
text_kv_heads = 1
head_dim = 8
vision_layers = 1
vision_hidden = 16
vision_mlp = 24
vision_heads = 2
image_size = 16
patch_size = 4
vocab_size = 608
[pretrain]
answers = 24
depth_every = 1
[train]
batch_size = 8
shards = 4
checkpoint_every = 5
[[stage]]
text_layers = 1
steps = 30
[[stage]]
text_layers = 3
steps = 30
TOML

"$VLB_TEST_PROGRAM" pretrain vlm.toml -o one -q -j 1 >one.txt
"$VLB_TEST_PROGRAM" pretrain vlm.toml -o two -q -j 2 >two.txt
diff -r one two
cmp one.txt two.txt
grep -q "^held-out scenes: " one.txt

cp -r one/scenes scenes
tries=0
until "$VLB_TEST_PROGRAM" pretrain vlm.toml -o killed --scenes scenes -q -j 2 >killed.txt & child=$!
  (sleep "0.$((tries * 7 % 9 + 1))$((tries / 9))" && kill -KILL $child) 2>/dev/null & timer=$!
  code=0; wait $child 2>/dev/null || code=$?
  kill $timer 2>/dev/null || true
  [ $code -eq 0 ]; do
  tries=$((tries + 1))
  [ $tries -le 60 ] || { echo "no end after $tries tries"; exit 1; }
done
rm -rf one/scenes
diff -r one killed

"$VLB_TEST_PROGRAM" pretrain vlm.toml --measure one --scenes scenes -q --json >sight.json
grep -q '"layers": 3' sight.json

"$VLB_TEST_PROGRAM" demos suite -o demos --per_task 1 --render_size 16 -q >demos.txt
cat >arm.toml <<'TOML'
title = "frozen"
[model]
text_layers = 3
text_hidden = 16
text_mlp = 24
text_heads = 2
text_kv_heads = 1
head_dim = 8
vision_layers = 1
vision_hidden = 16
vision_mlp = 24
vision_heads = 2
image_size = 16
patch_size = 4
vocab_size = 608
chunk_size = 4
n_action_steps = 4
num_steps = 2
[train]
vlm = "one"
steps = 2
batch_size = 4
shards = 2
[[arm]]
name = "frozen"
TOML
"$VLB_TEST_PROGRAM" train arm.toml --arm frozen --demos demos -o policy -q >policy.txt
"$VLB_TEST_PROGRAM" eval policy --suite suite --set eval.episodes_per_task=1 --set eval.max_steps=3 --set eval.render_size=16 -q >eval.txt
grep -q "0/1" eval.txt
