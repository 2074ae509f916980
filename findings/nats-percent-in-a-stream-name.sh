#!/usr/bin/env bash
# NATS takes a stream whose name has a percent sign, and a message of it cannot be acknowledged.
#
# Version: nats-server 2.9.10 (Debian 12), @nats-io/transport-node 3.4.0, @nats-io/jetstream 3.4.0.
# Behaviour: the server makes the subject to which a message is acknowledged by formatting it as a template that the stream's name is part of, so what
#   follows the percent sign is replaced. The acknowledgement goes to a subject that no consumer listens to. The client's ack() reports nothing,
#   and the message is delivered again once its time to be acknowledged is over.
# Seen: sales: acknowledged at $JS.ACK.sales, delivered once / sales%d: acknowledged at $JS.ACK.sales1, delivered twice
# Consequence: a consumer of such a stream works on each message again and again, and nobody is told.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
cd "$dir"
apt-get download -q nats-server >/dev/null 2>&1
dpkg -x nats-server_*.deb root
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 @nats-io/jetstream@3.4.0 >/dev/null 2>&1
root/usr/sbin/nats-server -a 127.0.0.1 -p -1 -js -sd "$dir/data" --ports_file_dir "$dir" >log 2>&1 &
server=$!
for _ in $(seq 100); do compgen -G 'nats-server_*.ports' >/dev/null && break || sleep 0.1; done
root/usr/sbin/nats-server --version
cat >ask.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { connect } from '@nats-io/transport-node'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
const [servers] = JSON.parse(readFileSync(process.argv[2], 'utf8')).nats
const connection = await connect({ servers })
const manager = await jetstreamManager(connection)
for (const name of ['sales', 'sales%d']) {
  await manager.streams.add({ name, subjects: [`in.${name.length}`] })
  await manager.consumers.add(name, { durable_name: 'all', ack_policy: 'explicit', ack_wait: 1_000_000_000 })
  await jetstream(connection).publish(`in.${name.length}`, 'record')
  const consumer = await jetstream(connection).consumers.get(name, 'all')
  const first = await consumer.next({ expires: 2_000 })
  first.ack()
  const second = await consumer.next({ expires: 3_000 })
  console.log(`${name}: acknowledged at ${first.msg.reply.split('.').slice(0, 3).join('.')}, delivered ${second === null ? 'once' : 'twice'}`)
}
await connection.close()
JS
seen=$(node ask.mjs nats-server_*.ports)
echo "$seen"
[ "$seen" = 'sales: acknowledged at $JS.ACK.sales, delivered once
sales%d: acknowledged at $JS.ACK.sales1, delivered twice' ] || { echo 'changed' >&2; exit 1; }
