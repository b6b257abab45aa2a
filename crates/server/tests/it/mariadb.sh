# A MariaDB that is gone with whoever started it. Says `ready DIR` (its socket is DIR/socket) or `absent WHY`; ends when
# its standard input does.
server=$(command -v mariadbd || ls /usr/sbin/mariadbd /usr/libexec/mariadbd 2>/dev/null | head -n 1)
install=$(command -v mariadb-install-db)
[ -x "$server" ] && [ -x "$install" ] || { echo "absent no mariadbd and mariadb-install-db (Debian: mariadb-server)"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/dagr-maria.XXXXXX") && cd "$dir" || { echo "absent no temporary directory"; exit 0; }
trap 'cd /; rm -rf "$dir"' EXIT
# A server that starts removes the temporary tables that it finds: those of another, if they share a directory.
mkdir tmp && export TMPDIR="$dir/tmp"
"$install" --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >log 2>&1 ||
  { echo "absent mariadb-install-db: $(grep -i error log | head -n 1)"; exit 0; }
network=--skip-networking
if [ -n "$TLS_KEY" ]; then
  printf '%s' "$TLS_CERTIFICATE" >server.crt
  (umask 077 && printf '%s' "$TLS_KEY" >server.key)
  network="--port=$PGPORT --bind-address=127.0.0.1 --ssl-cert=$dir/server.crt --ssl-key=$dir/server.key"
fi
"$server" --no-defaults --datadir="$dir/data" --socket="$dir/socket" --pid-file="$dir/pid" $network \
  --log-bin=log --binlog-format=ROW --server-id=1 --innodb-flush-log-at-trx-commit=2 \
  --innodb-buffer-pool-size=64M --skip-name-resolve >>log 2>&1 </dev/null &
server=$!
for _ in $(seq 300); do
  mariadb-admin --no-defaults --socket="$dir/socket" -u root ping >/dev/null 2>&1 && { echo "ready $dir"; break; }
  kill -0 $server 2>/dev/null || { echo "absent $(tail -n 1 log)"; exit 0; }
  sleep 0.1
done
while read -r _; do :; done
kill -TERM $server
wait $server
