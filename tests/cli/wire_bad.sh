# what serve and eval --policy refuse, before anything is opened to others
try() { vlabench "$@" -q; echo "exit $?"; }
cp -r "$data"/lerobot/tiny checkpoint
mkdir nothing
try serve nothing
try serve checkpoint --port 70000
try serve checkpoint --set rates=1
try serve checkpoint --set rate
try serve checkpoint --set rate=-1
try serve checkpoint --robot pandas
try serve checkpoint --key-file none
echo >empty && try serve checkpoint --key-file empty
try serve checkpoint --host 192.0.2.1 --port 0
try eval
try eval checkpoint --policy ws://127.0.0.1:1
try eval --policy ws://127.0.0.1:1
try eval --policy http://127.0.0.1:1 --suite spatial
try eval --policy ws://127.0.0.1:1 --suite spatial --set remote.replies=1
try eval --policy ws://127.0.0.1:1 --suite spatial 2>err
sed 's/(.*)/(WHY)/' err # libwebsockets' words differ between versions
try drive spatial/2
try drive spatial --server ws://127.0.0.1:1
try drive spatial/12 --server ws://127.0.0.1:1
try drive spatial/2 --server ws://127.0.0.1
try drive spatial/2 --server ws://127.0.0.1:1 --set remote.reply=1
