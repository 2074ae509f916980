#!/usr/bin/env bash
# MariaDB writes zero for NULL into a NOT NULL column, in strict mode and without a warning, when an UPDATE joins tables.
#
# Version: MariaDB 10.11 (Debian 12's mariadb-server-core).
# Behaviour: with any BEFORE trigger on the table, also one for INSERT that does nothing, NOT NULL is checked later than usual. An UPDATE that joins the
#   table to another one which is read first goes through a temporary table, and there NULL has become 0 (or '') before it is checked. The
#   statement succeeds with no warning under STRICT_ALL_TABLES. The same UPDATE of one table, or without the trigger, is refused.
# Seen: one table: refused / joined, no trigger: refused / joined, trigger: 0 warnings, n = 0
# Consequence: a loader that stages records and updates from the staging table stores a zero that nobody sent. It must check NULLs itself.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
cd "$dir"
chmod 755 .
apt-get download -q mariadb-server-core mariadb-client-core >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
data=$dir/data
mkdir "$data"
options=(--no-defaults --datadir="$data" --lc-messages-dir="$dir/root/usr/share/mysql" --socket="$dir/socket" --user="$(id -un)")
root/usr/bin/mariadb-install-db "${options[@]}" --basedir="$dir/root/usr" --auth-root-authentication-method=normal >/dev/null 2>&1
root/usr/sbin/mariadbd "${options[@]}" --skip-networking >log 2>&1 &
server=$!
ask() { root/usr/bin/mariadb --no-defaults --socket="$dir/socket" -u root -N "$@"; }
for _ in $(seq 300); do ask -e 'SELECT 1' >/dev/null 2>&1 && break || sleep 0.1; done
version=$(ask -e 'SELECT version()')
echo "$version"
ask -e "CREATE DATABASE shop; SET GLOBAL sql_mode = 'STRICT_ALL_TABLES'"
ask shop -e 'CREATE TABLE stock (id int PRIMARY KEY, n int NOT NULL); INSERT INTO stock VALUES (1, 5);
  CREATE TABLE staged (id int PRIMARY KEY, n int); INSERT INTO staged VALUES (1, NULL)'
alone='UPDATE stock SET n = NULL WHERE id = 1'
joined='UPDATE staged JOIN stock ON stock.id = staged.id SET stock.n = staged.n WHERE staged.id > 0'
outcome() { ask shop -e "$1; SELECT concat(@@warning_count, ' warnings')" 2>/dev/null || echo refused; }
seen="one table: $(outcome "$alone")
joined, no trigger: $(outcome "$joined")"
ask shop -e 'CREATE TRIGGER nothing BEFORE INSERT ON stock FOR EACH ROW SET @seen = 1'
seen="$seen
one table, trigger: $(outcome "$alone")
joined, trigger: $(outcome "$joined"), n = $(ask shop -e 'SELECT n FROM stock')"
echo "$seen"
[[ $version = 10.11.* && $seen = 'one table: refused
joined, no trigger: refused
one table, trigger: refused
joined, trigger: 0 warnings, n = 0' ]] || { echo 'changed' >&2; exit 1; }
