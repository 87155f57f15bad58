# what would be done: cells are named by a hash, which changes with every input; how long it takes is the machine's business (ABOUT)
cp -r "$data"/tiny/. .
vlabench run tiny.toml -n | sed -E 's/-[0-9a-f]{12}/-HASH/; s/ +(less than a minute|([0-9]+ h )?[0-9]+ min)/ ABOUT/'
vlabench run tiny.toml -n --json | sed -E 's/[0-9a-f]{64}/HASH/; s/-[0-9a-f]{12}/-HASH/; /"(cpu_)?seconds"/d'
ls
