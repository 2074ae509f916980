#!/usr/bin/env bash
# NATS refuses a message because the account has no room for it, and a consumer gets it all the same.
#
# Version: nats-server 2.9.10 (Debian 12), @nats-io/transport-node 3.4.0, @nats-io/jetstream 3.4.0.
# Behaviour: the limit of an account is looked at once the message is stored; it is removed again, and its publisher is told "resource limits
#   exceeded for account". A consumer that waits for messages can be given it in between. The limit of a stream does not behave so.
# Seen: refused and delivered all the same: some (about one of 15 refused, at 30 publishers at once and messages of 500,000 bytes) / sent again with the
#   same id and known: none
# Consequence: who sends again what was refused doubles it, message ids or not.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
cd "$dir"
apt-get download -q nats-server >/dev/null 2>&1
dpkg -x nats-server_*.deb root
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 @nats-io/jetstream@3.4.0 >/dev/null 2>&1
cat >server.conf <<CONF
listen: "127.0.0.1:-1"
jetstream { store_dir: "$dir/data" }
accounts { A { users: [{ user: a, password: b }], jetstream: { max_file: 8MB } } }
CONF
root/usr/sbin/nats-server -c server.conf --ports_file_dir "$dir" >log 2>&1 &
server=$!
for _ in $(seq 100); do compgen -G 'nats-server_*.ports' >/dev/null && break || sleep 0.1; done
root/usr/sbin/nats-server --version
cat >ask.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { connect } from '@nats-io/transport-node'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
const [servers] = JSON.parse(readFileSync(process.argv[2], 'utf8')).nats
const options = { servers, user: 'a', pass: 'b' }
const writing = await connect(options)
const reading = await connect(options)
const manager = await jetstreamManager(writing)
await manager.streams.add({ name: 's', subjects: ['in'], retention: 'workqueue', discard: 'new' })
await manager.consumers.add('s', { durable_name: 'all', ack_policy: 'explicit' })
const refused = new Set()
const delivered = new Set()
const bodyOf = (number) => {
  const body = Buffer.alloc(500_000)
  body.writeUInt32LE(number)
  return body
}
const messages = await (await jetstream(reading).consumers.get('s', 'all')).consume({ max_messages: 100 })
const consuming = (async () => {
  for await (const message of messages) {
    delivered.add(Buffer.from(message.data).readUInt32LE())
    message.ack()
  }
})()
let number = 0
async function publishOne() {
  const own = number++
  try {
    await jetstream(writing).publish('in', bodyOf(own), { msgID: String(own) })
  } catch (error) {
    if (error.message !== 'resource limits exceeded for account') throw error
    refused.add(own)
  }
}
for (const until = Date.now() + 20_000; Date.now() < until;) await Promise.all(Array.from({ length: 30 }, publishOne))
await new Promise((resolve) => setTimeout(resolve, 1_000))
const both = [...refused.intersection(delivered)]
const again = []
for (const one of both) again.push(await jetstream(writing).publish('in', bodyOf(one), { msgID: String(one) }))
await messages.close()
await consuming
console.error(`${number} published, ${refused.size} refused, ${both.length} of these delivered`)
console.log(`refused and delivered all the same: ${both.length > 0 ? 'some' : 'none'}`)
console.log(`sent again with the same id and known: ${again.some(({ duplicate }) => duplicate) ? 'some' : 'none'}`)
await writing.close()
await reading.close()
JS
seen=$(node ask.mjs nats-server_*.ports)
echo "$seen"
[ "$seen" = 'refused and delivered all the same: some
sent again with the same id and known: none' ] || { echo 'changed' >&2; exit 1; }
