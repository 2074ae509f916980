#!/usr/bin/env bash
# COPY reports a value that its type cannot read under SQLSTATEs of other classes than 22 (data exception), some of which clients
# treat as a fault of the schema, of rights or of the server itself.
#
# Version: PostgreSQL 15 of Debian 12 (package postgresql-15, which holds the extensions).
# Behaviour, one bad value in one row of a COPY FROM STDIN:
#   hstore   XX000 (internal_error)          ltree, seg, query_int, tsquery, jsonpath  42601 (syntax_error)
#   regclass 42P01 (undefined_table)         regrole, regtype                          42704 (undefined_object)
#   cube, isbn, int[] and most others        22P02
#   xid8     takes 'abc', as 0, without an error
# In each error CONTEXT says "COPY t, line 2, column a", which is the only sign that a row is to blame.
# Consequence: whether an error belongs to a row cannot be told from its SQLSTATE.
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
user=$(id -un)
[ "$(id -u)" != 0 ] || user=nobody
as() { if [ "$(id -un)" = "$user" ]; then "$@"; else setpriv --reuid "$user" --clear-groups -- "$@"; fi; }
bin=$dir/usr/lib/postgresql/15/bin
trap 'as "$bin/pg_ctl" -D "$dir/run/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq postgresql-15 postgresql-client-15 libpq5 >/dev/null 2>&1
for each in ./*.deb; do dpkg -x "$each" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu LC_ALL=C
mkdir run
chown "$user" run
as "$bin/initdb" -D run/data -U postgres -A trust --no-sync >/dev/null
as "$bin/pg_ctl" -D run/data -w -l run/log -o "-c listen_addresses= -k $dir/run" start >/dev/null
ask() { "$bin/psql" -h "$dir/run" -U postgres -X -q -At -v VERBOSITY=verbose "$@"; }
ask -c 'SHOW server_version'
ask -c 'CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION seg; CREATE EXTENSION intarray; CREATE EXTENSION cube; CREATE EXTENSION isn'
copied() { # type, good value, bad value
  ask -c "CREATE TABLE t (a $1)"
  answer=$(printf '%s\n%s\n' "$2" "$3" | ask -c 'COPY t FROM STDIN' 2>&1 || true)
  state=$(sed -n 's/^ERROR:  \([0-9A-Z]*\):.*/\1/p' <<<"$answer")
  place=$(grep -o 'COPY t, line [0-9]*, column [a-z]*' <<<"$answer" || true)
  echo "$1 ${state:-taken as $(ask -c 'SELECT a FROM t OFFSET 1')} ${place:+($place)}"
  ask -c 'DROP TABLE t'
}
seen=$(
  copied hstore 'a=>1' 'a 1'
  copied ltree a.b 'a b'
  copied seg 1.5 1.2.3
  copied query_int '1&2' '1 &'
  copied tsquery 'a & b' 'a &'
  copied jsonpath '$.a' 'x y'
  copied regclass pg_class no_such
  copied regrole postgres no_role
  copied regtype int4 no_type
  copied cube '(1,2)' '(1,2'
  copied isbn 978-0-306-40615-7 978-0-306-40615-0
  copied 'int[]' '{1,2}' '1,2'
  copied xid8 7 abc
)
echo "$seen"
[ "$seen" = 'hstore XX000 (COPY t, line 2, column a)
ltree 42601 (COPY t, line 2, column a)
seg 42601 (COPY t, line 2, column a)
query_int 42601 (COPY t, line 2, column a)
tsquery 42601 (COPY t, line 2, column a)
jsonpath 42601 (COPY t, line 2, column a)
regclass 42P01 (COPY t, line 2, column a)
regrole 42704 (COPY t, line 2, column a)
regtype 42704 (COPY t, line 2, column a)
cube 22P02 (COPY t, line 2, column a)
isbn 22P02 (COPY t, line 2, column a)
int[] 22P02 (COPY t, line 2, column a)
xid8 taken as 0 ' ] || { echo 'changed' >&2; exit 1; }
