#!/usr/bin/env bash
# information_schema.INNODB_TRX shows the transactions of before for as long as somebody asks for them more often than every 100 ms.
#
# Version: MariaDB 10.11 (Debian 12's mariadb-server-core).
# Behaviour: the view is filled from a copy, which is made anew only if nobody has read it within the last 100 ms. Whoever polls more often keeps
#   it from ever being made anew: a transaction that began after the first question is not seen while the polling goes on, however long that is.
#   So it is of any age, and not at most 100 ms old.
# Seen: how many of the questions of 3 s saw a transaction that was open nearly all the time, asked every 20 ms / every 250 ms
#   0 / 10 or so
# Consequence: a test or a watchdog that waits in a tight loop for a transaction to appear, or to end, waits for ever on a fast machine, and works on
#   a slow one. Ask every 250 ms.
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
ask -e 'CREATE DATABASE shop; CREATE TABLE shop.items (id int PRIMARY KEY) ENGINE=InnoDB'
# Questions that saw it, of so many with so long a pause between them. The transaction begins when the polling is under way.
seen() {
  (sleep 0.5; ask shop -e 'BEGIN; INSERT INTO items VALUES (1); DO SLEEP(4); ROLLBACK') &
  for _ in $(seq "$1"); do
    echo "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0; DO SLEEP($2);"
  done | ask | grep -c 1 || true
  wait $!
}
often=$(seen 140 0.02)
rarely=$(seen 12 0.25)
echo "every 20 ms: $often, every 250 ms: $rarely"
[ "$often" = 0 ] && [ "$rarely" -gt 5 ] || { echo "this has changed" >&2; exit 1; }
