# infer: actions of a checkpoint as JSON and as CSV, repeatable by seed; what is missing or does not fit is said
tiny=$data/lerobot/tiny
state=1,2,-3,0.5,1e-3,0
act() { vlabench infer --checkpoint "$tiny" --image camera1="$tiny/camera1.png" --image camera2="$tiny/camera2.png" --task "open the drawer" "$@"; }
act --state $state --seed 3 >a.json
act --state $state --seed 3 --dump dump.safetensors >b.json
act --state $state --seed 4 >c.json
echo "exit $?, $(wc -l <a.json) lines"
cmp a.json b.json && echo "same"
cmp -s a.json c.json || echo "another seed, other actions"
[ -s dump.safetensors ] && echo "dumped"
act --state $state --seed 3 --csv >a.csv
tr -d ' []' <a.json | sed '/^$/d; s/,$//' | cmp - a.csv && echo "CSV holds the same numbers"
act --state 1,2
act --state 1,2,x
act --state $state --seed 3 --noise "$tiny/noise.safetensors"
act --state $state --noise "$tiny/model.safetensors"
act --state $state --tokenizer nowhere.json
vlabench infer --checkpoint "$tiny" --task go --state $state
vlabench infer --checkpoint "$tiny" --task go --state $state --image camera1
vlabench infer --checkpoint "$tiny" --task go --state $state --image top="$tiny/camera1.png"
vlabench infer --checkpoint "$tiny" --task go --state $state --image camera1="$tiny/config.json"
vlabench infer --checkpoint "$PWD" --task go
vlabench infer --task go
vlabench infer --checkpoint "$tiny"
# a checkpoint can be rolled out where it fits the robot
vlabench eval "$tiny" --suite spatial --episodes 1
