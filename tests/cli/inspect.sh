# inspect: architecture, costs and settings of a checkpoint, for people and for programs
ln -s "$data/lerobot/tiny" tiny
vlabench inspect tiny
vlabench inspect tiny --json | grep -o '"[a-z_ 0-9]*":' | tr -d '\n'
echo
vlabench inspect nowhere
