# empty arguments, a file where a folder belongs and the other way round, a file without end: nothing is read or made elsewhere
cp -r "$data"/tiny/. .
vlabench run ""
echo "exit $?"
vlabench run tiny.toml --store "" -n
echo "exit $?"
vlabench train tiny.toml --demos demos --out= 
echo "exit $?"
vlabench eval tiny.toml
echo "exit $?"
vlabench eval suite
echo "exit $?"
vlabench list --store tiny.toml
echo "exit $?"
vlabench run tiny.toml --store tiny.toml
echo "exit $?"
vlabench demos suite -o tiny.toml --per_task 1
echo "exit $?"
vlabench run /dev/zero
echo "exit $?"
vlabench help rum
echo "exit $?"
vlabench help list | head -1
ls
