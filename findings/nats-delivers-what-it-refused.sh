#!/usr/bin/env bash
# NATS refuses a message because the account has no room for it, and a consumer gets it all the same.
#
# Version: nats-server 2.9.10 (Debian 12), @nats-io/transport-node 3.4.0, @nats-io/jetstream 3.4.0.
# Behaviour: the limit of an account is looked at once the message is stored; it is removed again, and its publisher is told "resource limits
#   exceeded for account". A consumer that waits for messages can be given it in between. The limit of a stream does not behave so.
# Seen: refused and delivered all the same: some (about one of 15 refused, at 30 publishers at once and messages of 500,000 bytes)
# Consequence: who sends again what was refused doubles it, although the server knows message ids: it forgets that of the first one.
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
const messages = await (await jetstream(reading).consumers.get('s', 'all')).consume({ max_messages: 100 })
const consuming = (async () => {
  for await (const message of messages) {
    delivered.add(Buffer.from(message.data).readUInt32LE())
    message.ack()
  }
})()
let number = 0
async function publishOne() {
  const body = Buffer.alloc(500_000)
  const own = number++
  body.writeUInt32LE(own)
  try {
    await jetstream(writing).publish('in', body, { msgID: String(own) })
  } catch (error) {
    if (error.message !== 'resource limits exceeded for account') throw error
    refused.add(own)
  }
}
for (const until = Date.now() + 20_000; Date.now() < until;) await Promise.all(Array.from({ length: 30 }, publishOne))
await new Promise((resolve) => setTimeout(resolve, 1_000))
await messages.close()
await consuming
console.error(`${number} published, ${refused.size} refused, ${[...refused].filter((one) => delivered.has(one)).length} of these delivered`)
console.log(`refused and delivered all the same: ${refused.intersection(delivered).size > 0 ? 'some' : 'none'}`)
await writing.close()
await reading.close()
JS
seen=$(node ask.mjs nats-server_*.ports)
echo "$seen"
[ "$seen" = 'refused and delivered all the same: some' ] || { echo 'changed' >&2; exit 1; }
