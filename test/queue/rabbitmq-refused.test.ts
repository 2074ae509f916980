import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { examineQueue, openQueue } from '../../src/queue/registry.ts'
import { describeRabbit } from '../../tooling/servers/broker.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { type RabbitServer, startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { named } from '../doctor/findings.ts'
import { type Certificates, certificates } from './certificates.ts'
import { expectWhole } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalClient } from './external-client.ts'

const secret = 'hunter2'
const limit = 4_321

describeRabbit('a RabbitMQ broker that refuses', () => {
  let server: RabbitServer
  let files: Certificates
  let tlsPort = 0

  beforeAll(async () => {
    files = certificates()
    files.authority('ours')
    files.authority('theirs')
    files.certificate('server', 'ours')
    files.certificate('client', 'ours')
    files.certificate('other', 'theirs')
    tlsPort = await freePort()
    server = await startRabbit({
      settings: {
        max_message_size: String(limit),
        'listeners.ssl.local': `127.0.0.1:${tlsPort}`,
        'ssl_options.cacertfile': files.at('ours.pem'),
        'ssl_options.certfile': files.at('server.pem'),
        'ssl_options.keyfile': files.at('server.key'),
        'ssl_options.verify': 'verify_peer',
        'ssl_options.fail_if_no_peer_cert': 'true',
      },
    })
    await server.addVhost('depot')
    await server.addUser('nobody', secret, '/', '^none$', '.*', '.*')
    await server.addUser('reader', secret, '/', '.*', '^none', '.*')
    await server.addUser('writer', secret, '/', '.*', '.*', '^none')
    await server.addUser('producer', secret, '/', '^$', '^amq\\.default$', '^$')
    await server.addUser('consumer', secret, '/', '^$', '^$', '^least$')
  })

  afterAll(async () => {
    await server.stop()
    files[Symbol.dispose]()
  })

  const at = (user: string, rest = '') => `amqp://${user}:${secret}@127.0.0.1:${server.port}/${rest}`

  async function expectRefused(
    work: Promise<unknown>,
    code: Code,
    ...parts: readonly (string | RegExp)[]
  ): Promise<void> {
    const error: unknown = await work.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code,
      message: expect.stringMatching(/^queue \S+ at 127\.0\.0\.1:\d+.*: .+$/),
    })
    for (const part of parts) expect((error as Error).message).toMatch(part)
    expect((error as Error).message).not.toContain(secret)
  }

  it.each([
    ['a wrong password', () => at('guest'), 'QUEUE_REFUSED', 'Login was refused'],
    ['a virtual host that is not there', () => at('nobody', 'none'), 'QUEUE_REFUSED', 'no such virtual host'],
    [
      'a user who may not use the virtual host',
      () => at('nobody', 'depot'),
      'QUEUE_REFUSED',
      'no such virtual host',
    ],
    [
      'a user who may not make the queue',
      () => at('nobody'),
      'QUEUE_REFUSED',
      "access to queue 'lading.dead'",
    ],
  ] as const)('%s is told in one line', async (_, url, code, part) => {
    await expectRefused(openQueue(url()), code, part)
  })

  it('a user who may not publish, or not receive, is told so', async () => {
    await using first = await openQueue(`${server.url}?queue=rights`)
    expect((await first.depth()).ready).toBe(0)
    await using reads = await openQueue(at('reader', '?queue=rights'), { create: false })
    await expectRefused(reads.publish([messageOf('a', 0)]), 'QUEUE_REFUSED', 'refused for user')
    await using writes = await openQueue(at('writer', '?queue=rights'), { create: false })
    await writes.publish([messageOf('a', 0)])
    await expectRefused(new Reader(writes).take(1), 'QUEUE_REFUSED', 'refused for user')
    expectWhole(await new Reader(reads).takeOne())
  })

  it('producers may do with the right to write to the default exchange, and consumers with that to read the queue', async () => {
    await using made = await openQueue(`${server.url}?queue=least`)
    await using producer = await openQueue(at('producer', '?queue=least'), { create: false })
    await producer.publish(messagesOf('a', 0, 2))
    await using consumer = await openQueue(at('consumer', '?queue=least'), { create: false })
    const reader = new Reader(consumer)
    const [one, two] = await reader.take(2)
    await Promise.all([one?.settle({ kind: 'done' }), two?.settle({ kind: 'release', afterMs: 20 })])
    const again = await reader.takeOne()
    expectWhole(again)
    // It is kept here until its time, for lack of a right to send it; who closes the queue does not wait for that.
    const waiting = again.settle({ kind: 'release', afterMs: 3_600_000 })
    await consumer[Symbol.asyncDispose]()
    await waiting
    await expect.poll(() => made.depth()).toMatchObject({ ready: 1, inFlight: 0, dead: 0 })
  })

  it('a message that another user has signed can be given back for later', async () => {
    const url = `${server.url}?queue=signed`
    await using queue = await openQueue(url)
    await using other = await externalClient(at('nobody', '?queue=signed'))
    await other.publish('signed', { userId: 'nobody' })
    const reader = new Reader(queue)
    await (await reader.takeOne()).settle({ kind: 'release', afterMs: 50 })
    expect((await reader.takeOne()).attempt).toBe(1)
  })

  it('a queue with other arguments is told with the argument, and used as it is with create: false', async () => {
    const url = `${server.url}?queue=classic`
    await using other = await externalClient(url)
    await other.channel.assertQueue('classic', { durable: true })
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', /x-queue-type|x-dead-letter-exchange/, '--no-create')
    await using queue = await openQueue(url, { create: false })
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
  })

  it('a queue that is missing is told, and nothing is made, with create: false', async () => {
    const url = `${server.url}?queue=missing`
    await expectRefused(openQueue(url, { create: false }), 'QUEUE_MISSING', 'missing')
    expect(await server.ctl('list_queues', 'name')).not.toContain('missing')
  })

  it('a broker that is not there is unavailable', async () => {
    await expectRefused(
      openQueue(`amqp://me:${secret}@127.0.0.1:${await freePort()}`),
      'QUEUE_UNAVAILABLE',
      'ECONNREFUSED',
    )
  })

  it('a message over the limit of its version is refused before it is sent, over its own limit afterwards', async () => {
    await using queue = await openQueue(`${server.url}?queue=large`)
    const message = (length: number) => ({ key: 'large', body: Buffer.alloc(length), headers: {} })
    await expect(queue.publish([message(queue.traits.maxBytes + 1)])).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    })
    await expectRefused(queue.publish([message(limit + 1)]), 'MESSAGE_TOO_LARGE', `${limit}`)
    await queue.publish([message(limit)])
    expect(await queue.depth()).toMatchObject({ ready: 1 })
  })

  const tls = (parts: Readonly<Record<string, string>>, host = '127.0.0.1') =>
    `amqps://guest:guest@${host}:${tlsPort}/?queue=tls&${Object.entries(parts)
      .map(([name, file]) => `${name}=${encodeURIComponent(files.at(file))}`)
      .join('&')}`
  const client = { cert: 'client.pem', key: 'client.key' }

  it('takes a client with the right certificates over TLS', async () => {
    await using queue = await openQueue(tls({ ca: 'ours.pem', ...client }))
    expect(queue.traits.warnings).toEqual([])
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
    const found = []
    for await (const finding of await examineQueue(tls({ ca: 'ours.pem', ...client }), { create: true }))
      found.push(finding)
    expect(named(found, 'encryption')).toMatchObject([
      { level: 'ok', detail: expect.stringContaining('TLS') },
    ])
  })

  it.each([
    [
      'whose authority we do not know',
      { ca: 'theirs.pem', ...client },
      '127.0.0.1',
      /TLS: .*(certificate|issuer)/,
    ],
    ['whose certificate is for another host', { ca: 'ours.pem', ...client }, 'localhost', /TLS: .*altnames/],
    [
      'that wants a certificate of ours, and gets none',
      { ca: 'ours.pem' },
      '127.0.0.1',
      /TLS: .*certificate/,
    ],
    [
      'that does not know who signed ours',
      { ca: 'ours.pem', cert: 'other.pem', key: 'other.key' },
      '127.0.0.1',
      /TLS: .*(ca|certificate)/,
    ],
    [
      'when the file of the authority holds none',
      { ca: 'ours.key', ...client },
      '127.0.0.1',
      /TLS: |self.signed/,
    ],
  ])('over TLS, a broker %s is refused', async (_, parts, host, part) => {
    const refused = openQueue(tls(parts, host)).catch((error: unknown) => error)
    expect(await refused).toMatchObject({ code: 'QUEUE_REFUSED', message: expect.stringMatching(part) })
  })

  it('over TLS, a certificate that has expired is refused', async () => {
    const { createServer } = await import('node:tls')
    files.certificate('old', 'ours', { days: -1 })
    const { readFileSync } = await import('node:fs')
    const old = createServer({
      cert: readFileSync(files.at('old.pem')),
      key: readFileSync(files.at('old.key')),
    })
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
    const { port } = old.address() as { port: number }
    try {
      const url = `amqps://guest:guest@127.0.0.1:${port}/?ca=${files.at('ours.pem')}`
      await expectRefused(openQueue(url), 'QUEUE_REFUSED', /TLS: .*expired/)
    } finally {
      old.close()
    }
  })
})
