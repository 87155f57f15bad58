# reference cases that are missing or broken: sizes that no model has, inputs that do not fit them
cp "$data"/golden/interleave.* .
try() { # SED-EXPRESSION
  sed -E "$1" "$data"/golden/interleave.json >interleave.json
  vlabench verify interleave >out.txt
  echo "exit $?, $(wc -l <out.txt) lines"
}
vlabench verify nothing
echo "exit $?"
vlabench verify "$PWD"
echo "exit $?"
try 's/"patch_size": 4/"patch_size": 0/'
try 's/"chunk_size": 5/"chunk_size": 5.5/'
try 's/"text": \{/"txet": {/'
try 's/"head_dim": 8/"head_dim": 1e99/'
try 's/"num_attention_heads": 3/"num_attention_heads": 5/'
try 's/"vocab_size": 64/"vocab_size": 2/'
try 's/"steps": 4/"steps": -4/'
try 's/"decay": 6/"decay": 0/'
try 's/"chunk_size": 5/"chunk_size": 6/'
try '5,$d'
try 's/"num_steps": 10/"num_steps": 9/'
vlabench verify interleave --tolerance much
echo "exit $?"
