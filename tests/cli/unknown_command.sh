vlabench docter
echo "$?"
vlabench frobnicate
echo "$?"
vlabench -x
