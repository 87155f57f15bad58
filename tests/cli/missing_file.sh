vlabench run
echo "exit $?"
vlabench run nowhere.toml
echo "exit $?"
vlabench run ablations/atention.toml
echo "exit $?"
mkdir folder.toml
vlabench run folder.toml
echo "exit $?"
printf 'a = "\xff"\n' >bytes.toml
vlabench run bytes.toml
echo "exit $?"
: >empty.toml
vlabench run empty.toml
