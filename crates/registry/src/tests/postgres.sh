# A PostgreSQL that is gone with whoever started it. `$1`: further settings. Says `ready DIR` (its socket is in DIR,
# port 5432) or `absent WHY`; ends when its standard input does. PostgreSQL refuses root: see `throwaway.rs`.
bin=$(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || bin=$(dirname "$(command -v initdb)" 2>/dev/null)
[ -x "$bin/initdb" ] || { echo "absent no initdb in /usr/lib/postgresql/*/bin or PATH"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/dagr-pg.XXXXXX") && cd "$dir" || { echo "absent no temporary directory"; exit 0; }
trap 'cd /; rm -rf "$dir"' EXIT
# Latvian order: where a list stands in the order of bytes, that is not the default's doing.
"$bin/initdb" -D data -U dagr -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=lv -A trust --no-sync >log 2>&1 ||
  { echo "absent initdb: $(tail -n 1 log)"; exit 0; }
if [ -n "$TLS_KEY" ]; then
  printf '%s' "$TLS_CERTIFICATE" >data/server.crt
  (umask 077 && printf '%s' "$TLS_KEY" >data/server.key)
  set -- "$1 -c ssl=on"
fi
# A background command reads from nowhere, so the loop below alone holds the standard input.
"$bin/postgres" -D data -k "$dir" -c listen_addresses= -c max_connections=400 $1 >>log 2>&1 </dev/null &
server=$!
for _ in $(seq 300); do
  "$bin/pg_isready" -q -h "$dir" && { echo "ready $dir"; break; }
  kill -0 $server 2>/dev/null || { echo "absent $(tail -n 1 log)"; exit 0; }
  sleep 0.1
done
while read -r _; do :; done
kill -INT $server
wait $server
