vlabench doctor --jsn
echo "$?"
vlabench doctor -j 0
echo "$?"
vlabench doctor -j
echo "$?"
vlabench doctor surplus
