# a task that is not there, a misspelt suite and camera, a name that says no format
vlabench render spatial/12
echo "$?"
vlabench render spacial
echo "$?"
vlabench render spatial/1 --camera wirst
echo "$?"
vlabench render spatial/1 -o x.gif
echo "$?"
vlabench render spatial -o x.mp4
