unset VLABENCH_METAWORLD_ASSETS
vlabench verify-metaworld
echo "exit $?"
vlabench verify-metaworld "$data/metaworld/golden.json"
echo "exit $?"
vlabench verify-metaworld "$data/metaworld/golden.json" --metaworld-assets nowhere
echo "exit $?"
vlabench verify-metaworld "$data/metaworld/golden.json" --experts 2 --metaworld-assets nowhere
echo "exit $?"
vlabench verify-metaworld --experts 2 --goals absent.json --metaworld-assets nowhere
echo "exit $?"
vlabench verify-metaworld absent.json --metaworld-assets nowhere
echo "exit $?"
echo '{"reach-v3": {"rand_vec": [1, 2]}}' >short.json
vlabench verify-metaworld short.json --metaworld-assets nowhere
echo "exit $?"
echo '{"raech-v3": {}}' >unknown.json
vlabench verify-metaworld unknown.json --metaworld-assets nowhere
echo "exit $?"
vlabench render metaworld/3
echo "exit $?"
vlabench render metaworld_esay/3
exit $?
