cp -r "$data"/tiny/. .
vlabench demos suite -o demos --per_task 1 --render_size 32 -q >/dev/null
try() { # WHAT, a command that damages ./broken
  rm -rf broken && cp -r demos broken
  file=$(echo broken/*.hdf5)
  mv "$file" broken/task_demo.hdf5
  eval "$2"
  echo "$1" >&2
  vlabench train tiny.toml --arm cross --demos broken -o model --set train.steps=2 -q
  echo "exit $?"
}
try 'cut' 'truncate -s 100000 broken/task_demo.hdf5'
try 'not HDF5' 'echo hello >broken/task_demo.hdf5'
try 'empty' ': >broken/task_demo.hdf5'
try 'none' 'rm broken/task_demo.hdf5'
try 'no folder' 'rm -r broken'
ls
