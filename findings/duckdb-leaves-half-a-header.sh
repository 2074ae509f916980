#!/usr/bin/env bash
# A database file that DuckDB had no room to make stays behind, and is no database afterwards, whatever room there is.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4), Linux.
# Behaviour: DuckDB writes a header of three blocks of 4096 bytes. Where the second or third does not fit, opening fails and the file keeps what was
#   written. Opened again with enough room, it is refused. So is an empty file, which stays when not even the first block fits, although nothing is
#   in it; SQLite takes such a file for a new database.
# Seen: the size of the file after a failed opening, and what the next opening says
#   0: not a valid DuckDB database file / 4096 and 8192: Could not read enough bytes
# Consequence: a program that waits until a full disk has room again waits for nothing: it must remove the file, which has never held a row. The limit
#   below is one of file sizes (ulimit -f), which needs no full disk to show the same.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >open.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
DuckDBInstance.create(process.argv[2]).then(
  () => console.log('opened'),
  (error) => console.log(/not a valid DuckDB database file|Could not read enough bytes|File too large/.exec(error.message)?.[0] ?? error.message),
)
JS
try() {
  # Without the trap, the signal for a file that is too large would end the process.
  (trap '' XFSZ && ulimit -f "$2" && node open.cjs "$1" >/dev/null)
  echo "$(stat -c %s "$1"): $(node open.cjs "$1")"
}
seen="$(try a.duckdb 0)
$(try b.duckdb 4)
$(try c.duckdb 8)
$(try d.duckdb 1024)"
echo "$seen"
[ "$seen" = '0: not a valid DuckDB database file
4096: Could not read enough bytes
8192: Could not read enough bytes
12288: opened' ] || { echo 'changed' >&2; exit 1; }
