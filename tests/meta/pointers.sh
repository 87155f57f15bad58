#!/usr/bin/env bash
# pointers.sh: every file, and every function written as `file:function`, that the documents at the top point to is there.
set -euo pipefail
cd "$VLB_TEST_ROOT"
bad=0
for doc in *.md; do
  # shellcheck disable=SC2016 # backticks as Markdown means them
  while IFS=: read -r file function; do
    if [ ! -e "$file" ] && ! compgen -G "$file" >/dev/null; then
      echo "$doc: no file $file"
      bad=1
    elif [ -n "$function" ] && ! grep -qE "\b$function\(" "$file"; then
      echo "$doc: no function $function in $file"
      bad=1
    fi
  done < <(grep -oE '`(core|sim|experiments|tests|scripts|ablations)/[A-Za-z0-9_/.*-]+(:[a-z_0-9]+)?`' "$doc" | tr -d '`' | sort -u)
done
exit $bad
