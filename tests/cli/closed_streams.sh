# standard streams that the caller closed: no message lands in a file, and a result that nobody got is a failure
cp -r "$data"/tiny/. .
vlabench demos suite -o demos --per_task 1 --render_size 32 -q >out.txt
cp -r demos again
rm again/quality.csv
vlabench demos suite -o again --per_task 1 --render_size 32 <&- >&- 2>&-
echo "exit $?"
diff -r demos again
vlabench train tiny.toml --arm cross --demos demos -o one --set train.steps=4 -q >out.txt
vlabench train tiny.toml --arm cross --demos demos -o two --set train.steps=4 2>&- >out.txt
echo "exit $?"
diff -r one two
vlabench list >&-
echo "exit $?"
vlabench lsit 2>&-
echo "exit $?"
