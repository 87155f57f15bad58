# every line is one broken ablation: what is appended or replaced, and the message
cp -r "$data"/tiny/. .
try() { # SED-EXPRESSION
  sed -E "$1" tiny.toml >broken.toml
  vlabench run broken.toml -n && echo "accepted: $1"
  echo "exit $?"
}
try 's/^chunk_size/chunk_sise/'
try 's/^\[model\]/[modle]/'
try 's/^title/titel/'
try 's/^scale = .*/scale = 3/'
try 's/^steps = 40/steps = "ten"/'
try 's/^steps = 40/steps = 40.5/'
try 's/^steps = 40/steps = 0/'
try 's/^lr = .*/lr = true/'
try 's/attention = "cross"/attention = "crossed"/'
try 's/^steps = 40/steps = 40\nsteps = 11/'
try 's/^steps = 40/steps = /'
try 's/^text_heads = 2/text_heads = 3\ntext_kv_heads = 2/; /^text_kv_heads = 1/d'
try 's/^n_action_steps = 5/n_action_steps = 50/'
try 's/^batch_size = 8/batch_size = 7/'
try 's/^image_size = 32/image_size = 7/'
try 's/^name = "cross"/name = "self"/'
try 's/^b = "cross"/b = "across"/'
try 's/^b = "cross"/b = "self"/'
try 's/^floor = "self"/floor = "selv"/'
try 's/^suite = "suite"/suite = "spatail"/'
try '1i extends = "nowhere.toml"'
try '1i extends = "broken.toml"'
try '/^\[\[arm\]\]/,$d'
try '2i paper_table = "table6_atention"\npaper_column = "Spatial"'
try 's/^title = .*/title = "two\\nlines"/'
try '$a [[contrast]]\na = "cross"\nb = "self"'
try '2i paper_table = "table6_attention"'
try '2i paper_column = "Spatial"'
try 's/^name = "self"/name = "self"\npaper_row = "SA"/'
for name in .toml cells.toml .hidden.toml "$(printf %070d 7).toml"; do
  cp tiny.toml "$name"
  vlabench run "$name" -n
  echo "exit $?"
done
cp tiny.toml two.dots.toml
vlabench run two.dots.toml -n | head -1
