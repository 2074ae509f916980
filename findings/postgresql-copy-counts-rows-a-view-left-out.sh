#!/usr/bin/env bash
# COPY into a view counts every row that its INSTEAD OF trigger left out as copied; INSERT does not count it.
#
# Version: PostgreSQL 15 of Debian 12 (package postgresql-15).
# Behaviour: a view whose INSTEAD OF INSERT trigger returns NULL for one row of two. A BEFORE trigger of a table that returns NULL is
#   left out of both counts.
# Seen: view COPY 2, view INSERT 0 1, table COPY 1, table INSERT 0 1
# Consequence: the row count of COPY is no proof that the rows of a view are anywhere.
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
ask() { "$bin/psql" -h "$dir/run" -U postgres -X -At "$@"; }
ask -q -c "CREATE TABLE stored (a int); CREATE VIEW shown AS SELECT a FROM stored; CREATE TABLE plain (a int);
  CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.a = 1 THEN RETURN NULL; END IF; RETURN new; END';
  CREATE TRIGGER leave INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION leave();
  CREATE TRIGGER leave BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION leave()"
seen=$(for each in 'view shown' 'table plain'; do
  set -- $each
  printf '%s %s, %s %s, ' "$1" "$(printf '1\n2\n' | ask -c "COPY $2 FROM STDIN")" "$1" "$(ask -c "INSERT INTO $2 VALUES (1), (2)")"
done)
echo "${seen%, }"
[ "${seen%, }" = 'view COPY 2, view INSERT 0 1, table COPY 1, table INSERT 0 1' ] || { echo 'changed' >&2; exit 1; }
