# what a sweep would do; the same sweep as a file; mistakes in the words of the command line; how long it takes is the machine's business (ABOUT)
cp -r "$data"/tiny/. .
sed '/^\[\[arm\]\]/,$d; /^floor/d' tiny.toml >base.toml
names() { sed -E 's/-[0-9a-f]{12} */-HASH  /; s/ +(less than a minute|([0-9]+ h )?[0-9]+ min)/ ABOUT/'; }
vlabench sweep base.toml --layers 1..2 --width 0.5,1 -n | names
vlabench sweep base.toml --action-steps 1,5 --axis train.lr=1e-3 --set train.steps=7 -n | names
printf 'extends = "base.toml"\n[sweep]\nlayers = "1..2"\nwidth = [0.5, 1]\n' >swept.toml
vlabench run swept.toml -n | names | head -4
vlabench sweep
vlabench sweep base.toml --layers 1..3 -n
vlabench sweep base.toml --layres 1..3 -n
vlabench sweep base.toml --layers 3..1 -n
vlabench sweep base.toml --layers 1,1 -n
vlabench sweep base.toml --axis train.lr -n
vlabench sweep base.toml --axis train.rl=1 -n
vlabench sweep base.toml --layers 1 --set train.stepz=7 -n
vlabench sweep base.toml --layers 1,2 --preset test -q >table.md
grep -c 'Success against cost' table.md
ls results/sweep_layers_1_2-test | grep -E 'pareto|sweep'
vlabench report results/sweep_layers_1_2-test/sweep_layers_1_2.toml --preset test -q | cmp - table.md
# three values make a curve, with the time of a prediction beside its operations
vlabench sweep base.toml --width 0.5,0.75,1 --preset test -q >/dev/null
awk '!/^#/ { print $1, ($6 > 0), ($7 > 0) }' results/*width*-test/curve.dat
ls
