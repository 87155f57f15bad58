# what would be done: cells are named by a hash, which changes with every input
cp -r "$data"/tiny/. .
vlabench run tiny.toml -n | sed -E 's/-[0-9a-f]{12}/-HASH/'
vlabench run tiny.toml -n --json | sed -E 's/[0-9a-f]{64}/HASH/; s/-[0-9a-f]{12}/-HASH/; /"(cpu_)?seconds"/d'
ls
