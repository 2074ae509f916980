#!/usr/bin/env bash
# LOAD DATA makes the next number of a 0 in an AUTO_INCREMENT column, in spite of NO_AUTO_VALUE_ON_ZERO, where it has a SET, or the table a trigger.
#
# Version: MariaDB 10.11 (Debian 12's mariadb-server-core).
# Behaviour: under sql_mode NO_AUTO_VALUE_ON_ZERO, a 0 in a field of LOAD DATA stays 0. With a SET of any other column, or a BEFORE INSERT trigger that does
#   nothing, the 0 becomes the next number, without an error. If a later row has that number, that row is the one that is refused as a
#   duplicate, or under LOCAL left out with a warning. The same value stays 0 if it goes through a variable: (@id, note) SET id = @id. INSERT is right.
# Seen: rows 5 and 0 in this order, by the fields / with a SET of the note / with a trigger / through a variable, with a trigger
#   0 5 / 5 6 / 5 6 / 0 5
# Consequence: a loader that converts one column by SET gives a row another key than its file. AUTO_INCREMENT columns must have a SET of their own.
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
root/usr/sbin/mariadbd "${options[@]}" --skip-networking --local-infile=1 >log 2>&1 &
server=$!
ask() { root/usr/bin/mariadb --no-defaults --socket="$dir/socket" --local-infile=1 -u root -N "$@"; }
for _ in $(seq 300); do ask -e 'SELECT 1' >/dev/null 2>&1 && break || sleep 0.1; done
version=$(ask -e 'SELECT version()')
echo "$version"
ask -e 'CREATE DATABASE shop'
printf '5\tfive\n0\tzero\n' >rows
trigger='CREATE TRIGGER nothing BEFORE INSERT ON items FOR EACH ROW SET @seen = 1;'
keys() {
  ask shop -e "CREATE OR REPLACE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, note text); $1
    SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'; LOAD DATA LOCAL INFILE '$dir/rows' INTO TABLE items $2; SELECT id FROM items ORDER BY id" |
    paste -sd' '
}
seen="by the fields: $(keys '' '(id, note)')
with a SET of the note: $(keys '' '(id, @note) SET note = @note')
with a trigger: $(keys "$trigger" '(id, note)')
through a variable, with a trigger: $(keys "$trigger" '(@id, note) SET id = @id')"
echo "$seen"
[[ $version = 10.11.* && $seen = 'by the fields: 0 5
with a SET of the note: 5 6
with a trigger: 5 6
through a variable, with a trigger: 0 5' ]] || { echo 'changed' >&2; exit 1; }
