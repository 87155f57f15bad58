# what a recipe would cost; a file that is not there and a misspelt key are refused
cat > tiny.toml <<'TOML'
title = "tiny"
[captions]
suites = "spatial"
[model]
text_layers = 3
text_hidden = 16
text_mlp = 24
text_heads = 2
text_kv_heads = 1
head_dim = 8
vision_layers = 1
vision_hidden = 16
vision_mlp = 24
vision_heads = 2
vocab_size = 608
[train]
batch_size = 8
[[stage]]
text_layers = 1
steps = 5
[[stage]]
text_layers = 3
steps = 2
TOML
vlabench pretrain tiny.toml -n -j1
vlabench pretrain nothing.toml
vlabench pretrain tiny.toml --set train.batch=3
