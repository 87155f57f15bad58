cp -r "$data"/tiny/. .
vlabench demos suite -o demos --per_task 1 --render_size 32 -q >/dev/null
vlabench train tiny.toml --arm cross --demos demos -o model --set train.steps=2 -q >/dev/null
try() { # WHAT, a command that damages ./broken
  rm -rf broken && cp -r model broken
  eval "$2"
  echo "$1" >&2
  vlabench eval broken --suite suite --episodes 1 -q
  echo "exit $?"
}
try 'cut' 'truncate -s 5000 broken/model.safetensors'
try 'cut in the head' 'truncate -s 20 broken/model.safetensors'
try 'empty' ': >broken/model.safetensors'
try 'another format' 'head -c 5000 /dev/zero >broken/model.safetensors'
try 'missing' 'rm broken/model.safetensors'
try 'another model' 'sed -i "s/^chunk_size = .*/chunk_size = 12/; s/^text_hidden = .*/text_hidden = 64/" broken/model.toml'
try 'no settings' 'rm broken/model.toml'
try 'no statistics' 'rm broken/statistics.safetensors'
vlabench eval nowhere -q
