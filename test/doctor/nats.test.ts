import { AckPolicy, jetstreamManager } from '@nats-io/jetstream'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openQueue } from '../../src/index.ts'
import { examineQueue } from '../../src/queue/registry.ts'
import { type NatsServer, startNats } from '../../tooling/servers/nats.ts'
import { certificates } from '../queue/certificates.ts'
import { levels, named, Place } from './findings.ts'

const rights = (allow: readonly string[]) =>
  `permissions: { publish: { allow: ${JSON.stringify(allow)} }, subscribe: { allow: ["_INBOX.>"] } }`

let server: NatsServer
beforeAll(async () => {
  server = await startNats({
    settings: `authorization { users: [
      { user: "admin", password: "pw" }
      { user: "blind", password: "pw", ${rights(['elsewhere'])} }
      { user: "reader", password: "pw", ${rights(['$JS.API.*.INFO.>', '$JS.API.CONSUMER.MSG.NEXT.>'])} }
    ] }`,
    client: { user: 'admin', pass: 'pw' },
  })
})
afterAll(() => server.stop())

let place: Place
beforeEach(() => (place = new Place()))
afterEach(() => place[Symbol.dispose]())

const at = (stream: string, user = 'admin') => `nats://${user}:pw@127.0.0.1:${server.port}/?stream=${stream}`
const ofQueue = async (queue: string, create = true) =>
  (await place.findings({ queue, create })).filter(({ about }) => about === 'queue')

it('a stream: not made by looking, its messages counted, nothing stored, taken or acknowledged', async () => {
  const url = at('looked')
  expect(levels(await ofQueue(url), 'fail')).toEqual([])
  expect(levels(await ofQueue(url, false), 'fail')).toEqual([expect.stringMatching(/QUEUE_MISSING/)])
  await using queue = await openQueue(url)
  await queue.publish([{ key: 'a', body: Buffer.from('{}'), headers: {} }])
  const found = await ofQueue(url)
  expect(levels(found, 'fail')).toEqual([])
  expect(levels(found, 'warn')).toEqual([])
  expect(named(found, 'stream')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^1 messages wait/) },
  ])
  expect(named(found, 'rights')).toMatchObject([{ level: 'ok' }])
  expect(named(found, 'durability')).toMatchObject([{ level: 'note' }])
  expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
  expect(await queue.peek(1)).toMatchObject([{ key: 'a', attempt: 0 }])
})

it('a stream: what its settings weaken, each with the command that changes it', async () => {
  const nats = await server.connect()
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: 'weak', subjects: ['weak.a', 'weak.b'], max_age: 60e9, max_msgs: 5 })
  await manager.consumers.add('weak', {
    durable_name: 'lading',
    ack_policy: AckPolicy.Explicit,
    max_deliver: 3,
  })
  await nats.close()
  const found = (await ofQueue(at('weak'))).filter(({ level }) => level === 'warn')
  expect(found.map(({ what }) => what)).toEqual(['max_age', 'max_msgs', 'max_deliver', 'subject'])
  for (const { cure } of found) expect(cure).toMatch(/^nats (stream|consumer) edit weak|^subject=/)
})

it('a stream in memory, and a user without rights, stand against a load', async () => {
  const nats = await server.connect()
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: 'ram', subjects: ['ram'], storage: 'memory' })
  await manager.streams.add({ name: 'rights', subjects: ['rights'] })
  await manager.consumers.add('rights', { durable_name: 'lading', ack_policy: AckPolicy.Explicit })
  await nats.close()
  expect(levels(await ofQueue(at('ram')), 'fail')).toEqual([expect.stringMatching(/QUEUE_REFUSED.*memory/)])
  expect(named(await ofQueue(at('rights', 'reader')), 'rights')).toMatchObject([
    {
      level: 'fail',
      detail: expect.stringMatching(
        /rights, \$JS\.API\.STREAM\.MSG\.GET\.rights, \$JS\.ACK\.rights\.lading\.>$/,
      ),
    },
  ])
  expect(levels(await ofQueue(`nats://admin:wrong@127.0.0.1:${server.port}/`), 'fail')).toEqual([
    expect.stringMatching(/^connection: QUEUE_REFUSED/),
  ])
})

it('a user who may see nothing, a consumer that confirms nothing, and a stream that goes while one looks', async () => {
  expect(levels(await ofQueue(at('any', 'blind')), 'fail')).toEqual([
    expect.stringMatching(/^stream: QUEUE_REFUSED: .*JS\.API/),
  ])
  const nats = await server.connect()
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: 'unconfirmed', subjects: ['unconfirmed'] })
  await manager.consumers.add('unconfirmed', { durable_name: 'lading', ack_policy: AckPolicy.None })
  expect(levels(await ofQueue(at('unconfirmed')), 'fail')).toEqual([
    expect.stringMatching(/^consumer: QUEUE_REFUSED: .*acknowledges with none/),
  ])
  const found = []
  for await (const finding of await examineQueue(at('unconfirmed'), { create: true })) {
    found.push(finding)
    if (finding.what === 'durability') await manager.streams.delete('unconfirmed')
  }
  expect(named(found, 'rights')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^it could not be checked: /) },
  ])
  await nats.close()
})

it('a connection counts as encrypted only if it is: not because the server offers TLS', async () => {
  using files = certificates()
  files.authority('ours')
  files.certificate('server', 'ours', { alternative: 'IP:127.0.0.1' })
  const tls = `tls { cert_file: "${files.at('server.pem')}", key_file: "${files.at('server.key')}" }`
  await using offering = await startNats({
    settings: `${tls}\nallow_non_tls: true`,
    client: { tls: null },
  })
  const encryption = async (url: string) => named(await ofQueue(url), 'encryption')[0]?.detail
  expect(await encryption(offering.url)).toBe('the connection stays on this machine')
  const asked = `tls://127.0.0.1:${offering.port}/?ca=${files.at('ours.pem')}`
  expect(await encryption(asked)).toMatch(/^the connection is encrypted/)
})
