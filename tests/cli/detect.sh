# what contrasts can detect, hours and disk, before a run; how long it takes is the machine's business (ABOUT)
cp -r "$data"/tiny/. .
vlabench plan tiny.toml -j 2 | sed -E 's/-[0-9a-f]{12} */-HASH  /; s/ +(less than a minute|([0-9]+ h )?[0-9]+ min)/ ABOUT/'
vlabench plan tiny.toml --json | grep -A40 '"contrasts"' | sed -E '/seconds"|"bytes"/d'
vlabench plan attention --json | grep -A20 '"contrasts"' | grep -A12 '"cross"' | sed 's/[0-9]*\.[0-9]*/NUMBER/'
vlabench plan nowhere.toml
