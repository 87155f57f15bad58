cp -r "$data"/tiny/. .
vlabench demos suite -o demos --per_task 2 --render_size 32 -q >/dev/null
file=$(echo demos/*.hdf5)
mv "$file" demos/task_demo.hdf5
frames() { sed -E 's/^( +[0-9]+) +[0-9]+ /\1  FRAMES /'; } # they depend on MuJoCo's version
vlabench replay demos/task_demo.hdf5 --pictures 2>/dev/null | frames
vlabench replay demos/task_demo.hdf5 --demo 1 --json -q | grep -v '"frames"'
vlabench replay demos/task_demo.hdf5 -n | sed -E 's/^(frames +).*/\1FRAMES/'
vlabench replay demos/task_demo.hdf5 --demo 7 -q
echo "exit $?"
mv suite elsewhere
vlabench replay demos/task_demo.hdf5 -q 2>&1 | sed 's/: [^:]*$/: .../'
vlabench replay demos/task_demo.hdf5 -q --suite elsewhere | frames
