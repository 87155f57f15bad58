# a misspelt benchmark, a misspelt arm, a file or a suite that is not there
for words in "tran" "train --arm interleavd" "train nowhere.toml" "ops --seconds 0" "sim spatiel" "sim --random 0"; do
  # shellcheck disable=SC2086
  vlabench bench $words
  echo "exit $?"
done
# what a program reads: every key, one arm of one tiny file
cp -r "$data"/tiny/. .
vlabench bench train tiny.toml --arm cross --seconds 0.01 -j 1 -q --json 2>/dev/null | grep -o '"[a-z_]*":' | sort -u
# a checkpoint's stages
vlabench bench infer "$data/lerobot/tiny" --seconds 0.01 | awk '{print $1}' | head -7
vlabench bench infer
