#!/usr/bin/env bash
# After a process was killed, a file cannot be opened any more if a table was altered, or got a comment, and has a function in an expression.
#
# Version: @duckdb/node-api 1.5.4-r.1 (DuckDB 1.5.4), Linux; 1.5.6-r.1 does the same.
# Behaviour: the process that opens the file next replays the write-ahead log. An ALTER TABLE or a COMMENT ON in it binds the expressions of the whole
#   table once more, and a call of a function in a DEFAULT, a CHECK or a generated column is looked for in a default database, which is not set
#   that early: "INTERNAL Error: Failure while replaying WAL file … Calling DatabaseManager::GetDefaultDatabase with no default database set".
#   It fails each time. A CAST to JSON counts as such a call. Constants, other casts, IN and operators are not affected, nor is a table that was altered before the last checkpoint.
# Seen: opened, or not, after the kill
#   DEFAULT now(), ALTER: no / DEFAULT now(), COMMENT: no / CHECK (length(a) < 5), COMMENT: no
#   DEFAULT 'x', ALTER: opened / CHECK (a IN ('x')), COMMENT: opened / DEFAULT now(), ALTER, CHECKPOINT: opened
# Consequence: what was committed since the last checkpoint can only be given up, with the log. Whoever alters a table, or comments on one, lets a
#   CHECKPOINT follow at once, or keeps functions out of its expressions.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.4-r.1 >/dev/null 2>&1
cat >run.cjs <<'JS'
const { DuckDBInstance } = require('@duckdb/node-api')
const [path, ...statements] = process.argv.slice(2)
async function main() {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  for (const sql of statements) await connection.run(sql)
  if (statements.length > 0) process.kill(process.pid, 'SIGKILL')
}
main().then(
  () => console.log('opened'),
  (error) => console.log(/no default database set/.test(error.message) ? 'no' : error.message),
)
JS
try() {
  local file=$(mktemp -u file.XXXXXX)
  node run.cjs "$file" "CREATE TABLE t (id BIGINT, a VARCHAR $1)" "${@:2}" >/dev/null 2>&1 || true
  node run.cjs "$file"
}
add='ALTER TABLE t ADD COLUMN b VARCHAR'
note="COMMENT ON COLUMN t.a IS 'text'"
seen="DEFAULT now(), ALTER: $(try 'DEFAULT now()' "$add")
DEFAULT now(), COMMENT: $(try 'DEFAULT now()' "$note")
CHECK (length(a) < 5), COMMENT: $(try 'CHECK (length(a) < 5)' "$note")
DEFAULT 'x', ALTER: $(try "DEFAULT 'x'" "$add")
CHECK (a IN ('x')), COMMENT: $(try "CHECK (a IN ('x'))" "$note")
DEFAULT now(), ALTER, CHECKPOINT: $(try 'DEFAULT now()' "$add" CHECKPOINT)"
echo "$seen"
[ "$seen" = "DEFAULT now(), ALTER: no
DEFAULT now(), COMMENT: no
CHECK (length(a) < 5), COMMENT: no
DEFAULT 'x', ALTER: opened
CHECK (a IN ('x')), COMMENT: opened
DEFAULT now(), ALTER, CHECKPOINT: opened" ] || { echo 'changed' >&2; exit 1; }
