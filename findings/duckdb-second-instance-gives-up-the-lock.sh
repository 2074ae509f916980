#!/usr/bin/env bash
# A second DuckDBInstance.create() of a file in one process is not refused, and closing it frees the file for other processes,
# although the first instance is still open.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4), Linux.
# Behaviour: DuckDB keeps other processes out by a lock of fcntl(2), which belongs to the process: a second instance of the same process gets it,
#   too, and when its file descriptor is closed, the kernel drops the lock of the whole process. From then on another process opens the file
#   for writing beside the first instance. DuckDBInstance.fromCache() hands out the open instance instead, and the lock stays.
# Seen (what another process is told): one instance: refused / two: refused / second closed: opened / the same by fromCache: refused
# Consequence: a helper that opens the file a second time "just to look" takes the protection from the writer that is at work.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >other.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
DuckDBInstance.create(process.argv[2]).then(
  () => console.log('opened'),
  (error) => console.log(/lock/i.test(error.message) ? 'refused' : error.message),
)
JS
cat >ask.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
const { execFileSync } = require('node:child_process')
const tell = (what, path) =>
  console.log(`${what}: ${execFileSync(process.execPath, ['other.cjs', path], { encoding: 'utf8' }).trim()}`)
async function main() {
  const first = await DuckDBInstance.create('a.duckdb')
  tell('one instance', 'a.duckdb')
  const second = await DuckDBInstance.create('a.duckdb')
  tell('two', 'a.duckdb')
  second.closeSync()
  tell('second closed', 'a.duckdb')
  const cached = await DuckDBInstance.fromCache('b.duckdb')
  const again = await DuckDBInstance.fromCache('b.duckdb')
  again.closeSync()
  tell('second of fromCache closed', 'b.duckdb')
  // Both stay open until here.
  await Promise.all([first.connect(), cached.connect()])
}
main()
JS
seen=$(node ask.cjs)
echo "$seen"
[ "$seen" = 'one instance: refused
two: refused
second closed: opened
second of fromCache closed: refused' ] || { echo 'changed' >&2; exit 1; }
