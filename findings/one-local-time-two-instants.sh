#!/usr/bin/env bash
# One local time, read by two releases of Node, is two instants, because each brings its own time-zone data. A country
# that changes its clocks changes the meaning of times in the future of the older release. Intl says nothing of it.
#
# Seen with the npm packages node 22.20.0 and 24.21.0 (tz 2025b and 2026c), under TZ=UTC:
#
#   22.20.0  tz 2025b  Africa/Casablanca 2026-11-28 12:00 is 2026-11-28T11:00:00.000Z
#   24.21.0  tz 2026c  Africa/Casablanca 2026-11-28 12:00 is 2026-11-28T12:00:00.000Z
#   both               BST is Asia/Dhaka, AST is America/Anchorage: short ids that only ICU knows, taken without a word
#
# Needs npm and bash. Exits 0 when all of it is still so, 1 with what it saw instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

read -r -d '' program <<'JS' || true
const local = Date.UTC(2026, 10, 28, 12)
const format = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Africa/Casablanca', dateStyle: 'short', timeStyle: 'medium' })
const instant = [0, 1].map((hours) => local - hours * 3_600_000).find((at) => Date.parse(`${format.format(at).replace(' ', 'T')}Z`) === local)
const named = ['BST', 'AST'].map((timeZone) => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone)
console.log(process.version, process.versions.tz, new Date(instant).toISOString(), ...named)
JS

seen=''
for version in 22.20.0 24.21.0; do
  mkdir "$folder/$version"
  npm install --silent --no-audit --no-fund --prefix "$folder/$version" "node@$version" >&2
  seen+=$(TZ=UTC "$folder/$version/node_modules/.bin/node" --eval "$program")$'\n'
done
expected='v22.20.0 2025b 2026-11-28T11:00:00.000Z Asia/Dhaka America/Anchorage
v24.21.0 2026c 2026-11-28T12:00:00.000Z Asia/Dhaka America/Anchorage
'
printf '%s' "$seen"
[ "$seen" = "$expected" ] || { echo 'this is no longer what was seen' >&2; exit 1; }
