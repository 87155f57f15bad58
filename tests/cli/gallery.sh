# a misspelt suite, numbers out of range
vlabench gallery spatiel
echo "exit $?"
vlabench gallery spatial --size 5
echo "exit $?"
vlabench gallery spatial --episodes 0
echo "exit $?"
ls
