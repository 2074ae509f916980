#!/usr/bin/env bash
# After a process was killed, a program that opens the file, reads another table and closes it takes rows out of the indexes, for good.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4), Linux.
# Behaviour: the next process that opens the file replays the write-ahead log. DuckDB loads what CREATE INDEX has made when its table is used, and
#   keeps the replayed rows beside it until then. If nobody uses the table, the checkpoint at closing writes the rows and leaves them out of the
#   index. The log is gone, so the index never learns of them: a lookup finds nothing, CREATE UNIQUE INDEX lets the same value in again, and
#   DELETE of such a row is a FATAL error ("Failed to delete all rows from index"). A CHECKPOINT right after opening keeps rows and index together.
#   PRIMARY KEY and UNIQUE constraints are not affected.
# Seen: rows, rows found by the second value, and that value once more
#   only closed: 2 0 taken / CHECKPOINT first: 2 1 refused / PRIMARY KEY, only closed: 2 1 refused
# Consequence: whoever finds out by an index whether a row is there, or relies on a unique one, doubles rows after a crash, without an error, because
#   somebody looked at the file. Let the first statement after a crash be CHECKPOINT, or use constraints.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >run.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
const [path, end, ...statements] = process.argv.slice(2)
async function main() {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  for (const sql of statements) {
    const seen = await connection.runAndReadAll(sql).then(
      (result) => (/^SELECT/.test(sql) ? `${result.getRowsJson()[0][0]}` : 'taken'),
      () => 'refused',
    )
    console.log(seen)
  }
  if (end === 'killed') process.kill(process.pid, 'SIGKILL')
  connection.closeSync()
  instance.closeSync()
}
main()
JS
try() {
  node run.cjs "$1" closed "$2" "CREATE TABLE other (id BIGINT)" "INSERT INTO items VALUES ('a')" >/dev/null
  node run.cjs "$1" killed "INSERT INTO items VALUES ('b')" >/dev/null 2>&1 || true
  node run.cjs "$1" closed "$3" >/dev/null
  node run.cjs "$1" closed "SELECT count(*) FROM items" "SELECT count(*) FROM items WHERE id = 'b'" "INSERT INTO items VALUES ('b')" | paste -sd' '
}
index='CREATE TABLE items (id VARCHAR); CREATE UNIQUE INDEX items_id ON items (id)'
look='SELECT count(*) FROM other'
seen="only closed: $(try a.duckdb "$index" "$look")
CHECKPOINT first: $(try b.duckdb "$index" CHECKPOINT)
PRIMARY KEY, only closed: $(try c.duckdb 'CREATE TABLE items (id VARCHAR PRIMARY KEY)' "$look")"
echo "$seen"
[ "$seen" = 'only closed: 2 0 taken
CHECKPOINT first: 2 1 refused
PRIMARY KEY, only closed: 2 1 refused' ] || { echo 'changed' >&2; exit 1; }
