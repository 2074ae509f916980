#!/usr/bin/env bash
# DuckDB answers COMMIT of an aborted transaction with success, and keeps nothing of it.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4).
# Behaviour: after an error every statement but two is refused ("Current transaction is aborted (please ROLLBACK)"). COMMIT is not refused: it
#   resolves as it does for a transaction that was kept. PostgreSQL rolls back, too, but names it in the command tag (ROLLBACK); here the
#   answers of both cases are equal: same statement type, no rows, no warning.
# Seen: after an error: SELECT refused, COMMIT resolves, 0 rows / without one: COMMIT resolves, 1 row
# Consequence: a loader that catches the error of one record and takes the answer to COMMIT as proof acknowledges messages whose rows are gone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >ask.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
const answer = (result) => JSON.stringify([result.statementType, result.returnType, result.rowsChanged])
async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = async () => (await connection.runAndReadAll('SELECT count(*)::INTEGER FROM readings')).getRows()[0][0]
  const refused = (sql) => connection.run(sql).then(() => false, () => true)
  await connection.run('CREATE TABLE readings (id INTEGER PRIMARY KEY)')
  await connection.run('BEGIN')
  await connection.run('INSERT INTO readings VALUES (1)')
  const second = await refused('INSERT INTO readings VALUES (1)')
  const select = await refused('SELECT 1')
  const aborted = answer(await connection.run('COMMIT'))
  console.log(`aborted: insert refused ${second}, select refused ${select}, rows ${await rows()}`)
  await connection.run('BEGIN')
  await connection.run('INSERT INTO readings VALUES (1)')
  const kept = answer(await connection.run('COMMIT'))
  console.log(`kept: rows ${await rows()}`)
  console.log(`answers to COMMIT are equal: ${aborted === kept}`)
}
main()
JS
seen=$(node ask.cjs)
echo "$seen"
[ "$seen" = 'aborted: insert refused true, select refused true, rows 0
kept: rows 1
answers to COMMIT are equal: true' ] || { echo 'changed' >&2; exit 1; }
