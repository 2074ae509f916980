#!/usr/bin/env bash
# EXPORT DATABASE leaves out the foreign key of a table to itself, and IMPORT DATABASE makes the table without it. Nobody is told.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4), Linux.
# Behaviour: the SQL text that DuckDB keeps of such a table (duckdb_tables().sql, and schema.sql of an export) has an empty place where the
#   constraint was, "boss INTEGER, )". Its own parser takes that. A foreign key to another table is written, and COPY FROM DATABASE, which does not
#   go through the text, keeps both.
# Seen: a row whose parent is missing, put into the table before the export, after the import, and into a table that refers to another one
#   before: refused / after: taken / other table, after: refused
# Consequence: a copy of a database that was made by an export, or a table that a tool makes anew by the text, takes rows that the original
#   refuses. Take the constraints from duckdb_constraints(), or copy with COPY FROM DATABASE.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >run.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
async function main() {
  const connect = async () => await (await DuckDBInstance.create(':memory:')).connect()
  const put = (connection, sql) =>
    connection.run(sql).then(
      () => 'taken',
      (error) => (/Violates foreign key/.test(error.message) ? 'refused' : error.message),
    )
  const before = await connect()
  await before.run('CREATE TABLE employee (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES employee (id))')
  await before.run('CREATE TABLE badge (id INTEGER PRIMARY KEY, employee INTEGER REFERENCES employee (id))')
  const orphan = 'INSERT INTO employee VALUES (1, 7)'
  console.log(`before: ${await put(before, orphan)}`)
  await before.run("EXPORT DATABASE 'export'")
  const after = await connect()
  await after.run("IMPORT DATABASE 'export'")
  console.log(`after: ${await put(after, orphan)}`)
  console.log(`other table, after: ${await put(after, 'INSERT INTO badge VALUES (1, 7)')}`)
}
main()
JS
seen=$(node run.cjs)
echo "$seen"
[ "$seen" = 'before: refused
after: taken
other table, after: refused' ] || { echo 'changed' >&2; exit 1; }
