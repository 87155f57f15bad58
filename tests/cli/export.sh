# export: a checkpoint written anew acts the same, from any of its layouts; what cannot be is said, and nothing is overwritten
tiny=$data/lerobot/tiny
act() { vlabench infer --checkpoint "$1" --image camera1="$tiny/camera1.png" --image camera2="$tiny/camera2.png" --task "open the drawer" --state 1,2,-3,0.5,1e-3,0; }
vlabench export "$tiny" again
echo "exit $?"
ls again again/vlm
act "$tiny" >a.json
act again >b.json
cmp a.json b.json && echo "the same actions"
vlabench export again half --dtype bfloat16 && act half >c.json
cmp -s a.json c.json || echo "halves act a little differently"
vlabench export half half2 && vlabench export half2 half --dtype bfloat16 --replace && act half | cmp - c.json && echo "and stay the same ones"
sleep 0 & dead=$!
wait $dead
mkdir half.tmp.$dead half.tmp.$$ other.tmp.$dead && touch half.tmp.$dead/model.safetensors
vlabench export again half --dtype bfloat16 --replace
[ ! -e half.tmp.$dead ] && rmdir half.tmp.$$ other.tmp.$dead && echo "only what a killed export left of it is removed"
vlabench export again half
vlabench export again again --replace
act again | cmp - a.json && echo "a checkpoint may replace itself"
vlabench export again elsewhere --camera one
vlabench export again elsewhere --dtype float8
vlabench export again elsewhere --seed 3
vlabench export nowhere elsewhere
vlabench export again
ls
