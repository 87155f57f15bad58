# a loss that is not a number, and a disk that is full: one line, nothing half-written
cp -r "$data"/tiny/. .
vlabench demos suite -o demos --per_task 1 --render_size 32 -q >/dev/null
vlabench train tiny.toml --arm cross --demos demos -o model --set train.lr=10 --set train.decay_lr=10 \
  --set train.weight_decay=1 --set train.warmup_steps=0 --set train.steps=80 -q 2>err
echo "exit $?"
sed -E 's/-nan/nan/g; s/step [0-9]+/step N/' err
mkdir -p model && find model -name '*.tmp.*' -o -name model.safetensors
(
  trap '' XFSZ # then a file that grows past the limit is an error of write, as on a full disk
  ulimit -f 20
  vlabench demos suite -o full --per_task 1 --render_size 32 -q >/dev/null
  echo "exit $?"
  vlabench train tiny.toml --arm cross --demos demos -o small --set train.steps=2 -q
  echo "exit $?"
) 2>&1 | sed -E 's/\.tmp\.[0-9]+/.tmp.PID/'
find . -name '*.tmp.*' -o -name full # a failed recording leaves nothing; a training keeps its folder
