# verify --strings: a tokenizer against ids that transformers gave
tok=$data/tokenizer/tiny.json
check() { vlabench verify -q "$tok" --strings "$1"; echo "exit $?"; }
check "$data/tokenizer/cases.json"
echo '[{"text": "ab", "ids": [1]}, {"text": "", "ids": []}]' >wrong.json
check wrong.json
echo '[{"text": "ab"}]' >incomplete.json
check incomplete.json
echo '{"text": "ab"}' >one.json
check one.json
echo '[{"text": "\ud800"' >broken.json
check broken.json
check nowhere.json
