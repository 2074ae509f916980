#!/usr/bin/env bash
# node:sqlite of Node 22.18 and 22.19 cannot bind SQLite's numbered parameters (?1, ?2) from positional arguments.
#
# Versions: Node 22.19.0 and 22.20.0 (npm package `node`), both with SQLite 3.50.4.
# Behaviour: `SELECT ?1, ?2` with two arguments throws ERR_SQLITE_ERROR, errcode 25 (SQLITE_RANGE, "column index out of range"),
#   in 22.19.0: a numbered parameter counts as a named one there. In 22.20.0 it works. `SELECT ?, ?` works in both.
# Seen: 22.19.0 numbered: 25 column index out of range / plain: {"a":"x","b":"y"}
#       22.20.0 numbered: {"a":"x","b":"y"}              / plain: {"a":"x","b":"y"}
# Consequence: a tool that declares Node 22.18 as its minimum and writes ?1 does not run there, and may take errcode 25 for damage.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node-a@npm:node@22.19.0 node-b@npm:node@22.20.0 >/dev/null 2>&1
cat >ask.cjs <<'JS'
const { DatabaseSync } = require('node:sqlite')
const database = new DatabaseSync(':memory:')
for (const [name, sql] of [['numbered', 'SELECT ?1 AS a, ?2 AS b'], ['plain', 'SELECT ? AS a, ? AS b']]) {
  let answer
  try {
    answer = JSON.stringify(database.prepare(sql).get('x', 'y'))
  } catch (error) {
    answer = `${error.errcode} ${error.errstr}`
  }
  console.log(`${process.versions.node} ${name}: ${answer}`)
}
JS
node_of() { find "node_modules/$1" -path '*bin/node' | head -n 1; }
seen=$(for name in node-a node-b; do "$(node_of "$name")" --no-warnings ask.cjs; done)
echo "$seen"
[ "$seen" = '22.19.0 numbered: 25 column index out of range
22.19.0 plain: {"a":"x","b":"y"}
22.20.0 numbered: {"a":"x","b":"y"}
22.20.0 plain: {"a":"x","b":"y"}' ] || { echo 'changed' >&2; exit 1; }
