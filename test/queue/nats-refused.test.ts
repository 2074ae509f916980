import { AckPolicy, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { credsAuthenticator, nkeys } from '@nats-io/transport-node'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { createAccounts } from '../../tooling/servers/nats-accounts.ts'
import { type NatsServer, startNats, useNats } from '../../tooling/servers/nats.ts'
import { expectWhole } from '../contract/queue/expected.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { type Certificates, certificates } from './certificates.ts'

/** Stands for every password, token and seed. */
const secret = 'hunter2-canary'

async function expectRefused(work: Promise<unknown>, code: Code, ...parts: readonly string[]): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^.+$/) })
  const { message } = error as Error
  for (const part of parts) expect(message).toContain(part)
  expect(message).not.toContain(secret)
  expect(message).not.toContain('\n')
}

describe('the URL of a stream', () => {
  it.each([
    ['nats://host/orders', 'the stream is a parameter'],
    ['nats://host/?queue=a', 'there are stream, subject'],
    ['nats://host/?stream=a.b', 'the name of a stream'],
    ['nats://host/?consumer=a*', 'the name of a consumer'],
    // Acknowledgements of such a one would go to another subject, and its messages come again for ever.
    ['nats://host/?stream=a%25b', 'the name of a stream'],
    ['nats://host/?consumer=a%25b', 'the name of a consumer'],
    ['nats://host/?stream=a%01b', 'the name of a stream'],
    [`nats://host/?stream=${encodeURIComponent('ü'.repeat(128))}`, 'the name of a stream'],
    ['nats://host/?subject=a..b', 'a subject is'],
    [`nats://${secret}@host/?stream=a`, 'a token is a parameter'],
    [`nats://user:${secret}@host/?stream=a&token=${secret}`, 'more than one of'],
    ['nats://host/?ca=ca.pem', 'for tls://'],
    ['nats://host/?storage=tape', 'storage is'],
    ['nats://host/?replicas=9', 'replicas is'],
    ['nats://host/?lease=0', 'lease is seconds'],
    [`nats://user:${secret}/x@host/`, 'it is no URL'],
  ])('%s is refused with the reason, and without what it may hold', async (url, part) => {
    await expectRefused(openQueue(url), 'USAGE', part)
  })

  it('names files that have to be there', async () => {
    await expectRefused(
      openQueue('nats://host/?creds=/none.creds'),
      'CONFIG_INVALID',
      'the creds of the queue URL',
    )
  })
})

describe('a server with users', () => {
  const user = nkeys.createUser()
  const password = `password: "${secret}"`
  const inbox = '_INBOX.>'
  const rights = (...publish: readonly string[]) =>
    `permissions: { publish: { allow: ${JSON.stringify(publish)} }, subscribe: { allow: ["${inbox}"] } }`
  const api = ['$JS.API.STREAM.INFO.S', '$JS.API.CONSUMER.INFO.S.lading']
  let server: NatsServer
  beforeAll(async () => {
    server = await startNats({
      settings: `authorization { users: [
        { user: "admin", ${password} }
        { user: "producer", ${password}, ${rights(...api, 'S')} }
        { user: "consumer", ${password}, ${rights(...api, '$JS.API.CONSUMER.MSG.NEXT.S.lading', '$JS.ACK.S.lading.>')} }
        { user: "deaf", ${password}, ${rights(...api, '$JS.API.CONSUMER.MSG.NEXT.S.lading')} }
        { user: "stranger", ${password}, ${rights('elsewhere')} }
        { nkey: "${user.getPublicKey()}" }
      ] }`,
      client: { user: 'admin', pass: secret },
    })
  })
  afterAll(() => server.stop())
  const at = (name: string, rest = '?stream=S', word: string = secret) =>
    `nats://${name}:${word}@127.0.0.1:${server.port}/${rest}`

  it('lets in who has the password, and tells others so without it', async () => {
    await using queue = await openQueue(at('admin'))
    await queue.publish([messageOf('a', 0)])
    await expectRefused(
      openQueue(at('admin', '?stream=S', `not-${secret}`)),
      'QUEUE_REFUSED',
      'the server refuses',
    )
    await expectRefused(openQueue(`${server.url}?token=${secret}`), 'QUEUE_REFUSED', 'the server refuses')
  })

  it('lets in who has the key of a user', async () => {
    using files = certificates()
    writeFileSync(files.at('user.nk'), `${Buffer.from(user.getSeed()).toString()}\n`)
    await using queue = await openQueue(`${server.url}?stream=keyed&nkey=${files.at('user.nk')}`)
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
  })

  it('takes from each what he may do and no more', async () => {
    await using made = await openQueue(at('admin'))
    await using producer = await openQueue(at('producer'), { create: false })
    await producer.publish([messageOf('b', 0)])
    await expectRefused(new Reader(producer).take(1), 'QUEUE_REFUSED', 'CONSUMER.MSG.NEXT.S.lading')
    await using consumer = await openQueue(at('consumer'), { create: false })
    await expectRefused(consumer.publish([messageOf('b', 1)]), 'QUEUE_REFUSED', '"S"')
    const reader = new Reader(consumer)
    for (const delivery of await reader.take(1)) await delivery.settle({ kind: 'done' })
    await reader.stop()
    await using deaf = await openQueue(at('deaf'), { create: false })
    const [held] = await new Reader(deaf).take(1)
    await expectRefused(
      held?.settle({ kind: 'done' }) ?? Promise.resolve(),
      'QUEUE_REFUSED',
      '$JS.ACK.S.lading',
    )
    expect((await made.depth()).ready + ((await made.depth()).inFlight ?? 0)).toBe(1)
    await expectRefused(openQueue(at('stranger')), 'QUEUE_REFUSED', '$JS.API.STREAM.INFO.S')
  })
})

describe('a server with accounts', () => {
  const { settings, credentials } = createAccounts()
  const files = certificates()
  const path = files.at('user.creds')
  writeFileSync(path, credentials)
  afterAll(() => files[Symbol.dispose]())
  const { server } = useNats({
    settings,
    client: { authenticator: credsAuthenticator(Buffer.from(credentials)) },
  })

  it('lets in who has the credentials of a user', async () => {
    await using queue = await openQueue(`${server().url}?stream=accounts&creds=${path}`)
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
    await expectRefused(openQueue(server().url), 'QUEUE_REFUSED', 'the server refuses')
  })
})

describe('a server with a token', () => {
  const { server } = useNats({ settings: `authorization { token: "${secret}" }`, client: { token: secret } })

  it('lets in who has it', async () => {
    await using queue = await openQueue(`${server().url}?token=${secret}&stream=tokens`)
    await queue.publish([messageOf('a', 0)])
    await expectRefused(openQueue(server().url), 'QUEUE_REFUSED', 'the server refuses')
  })
})

describe('a server with TLS', () => {
  let files: Certificates
  let server: NatsServer
  beforeAll(async () => {
    files = certificates()
    files.authority('ours')
    files.authority('theirs')
    // The client itself looks for the name of a server where it has an address.
    files.certificate('server', 'ours', { alternative: 'IP:127.0.0.1,DNS:localhost' })
    files.certificate('client', 'ours')
    const tls = {
      caFile: files.at('ours.pem'),
      certFile: files.at('client.pem'),
      keyFile: files.at('client.key'),
    }
    server = await startNats({
      settings: `tls { cert_file: "${files.at('server.pem')}", key_file: "${files.at('server.key')}", ca_file: "${files.at('ours.pem')}", verify: true }`,
      client: { tls },
    })
  })
  afterAll(async () => {
    await server.stop()
    files[Symbol.dispose]()
  })
  const at = (ca: string, client?: string, host = '127.0.0.1') => {
    const parameters = new URLSearchParams({ stream: 'secure', ca: files.at(ca) })
    if (client !== undefined) {
      parameters.set('cert', files.at(`${client}.pem`))
      parameters.set('key', files.at(`${client}.key`))
    }
    return `tls://${host}:${server.port}/?${parameters}`
  }

  it('is used where both trust each other', async () => {
    await using queue = await openQueue(at('ours.pem', 'client'))
    await queue.publish([messageOf('a', 0)])
    await using named = await openQueue(at('ours.pem', 'client', 'localhost'))
    expectWhole(await new Reader(named).takeOne())
  })

  it('is refused where its authority is not trusted, and refuses who shows no certificate', async () => {
    await expectRefused(openQueue(at('theirs.pem', 'client')), 'QUEUE_REFUSED', 'TLS')
    const error: unknown = await openQueue(at('ours.pem')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: expect.stringMatching(/QUEUE_(REFUSED|UNAVAILABLE)/) })
  })
})

describe('a server without what the URL asks for', () => {
  const { server } = useNats({ jetstream: false })

  it('has no TLS where tls:// demands it', async () => {
    await expectRefused(openQueue(`tls://127.0.0.1:${server().port}/`), 'QUEUE_REFUSED', 'no TLS')
  })

  it('has no JetStream', async () => {
    await expectRefused(openQueue(server().url), 'QUEUE_REFUSED', 'without JetStream')
  })
})

describe('a stream that others made', () => {
  const { server, freshUrl } = useNats({ settings: 'max_payload: 200000' })
  const streamOf = (url: string): string => new URL(url).searchParams.get('stream') ?? ''
  const made = async (url: string, config: object, consumer?: object) => {
    const nats = await server().connect()
    const manager = await jetstreamManager(nats)
    await manager.streams.add({ name: streamOf(url), subjects: [streamOf(url)], ...config })
    if (consumer !== undefined)
      await manager.consumers.add(streamOf(url), {
        durable_name: 'lading',
        ack_policy: AckPolicy.Explicit,
        ...consumer,
      })
    await nats.close()
  }

  it('and nobody else is missing for who may not make it', async () => {
    await expectRefused(openQueue(freshUrl(), { create: false }), 'QUEUE_MISSING', 'no such stream')
    const url = freshUrl()
    await made(url, {})
    await expectRefused(openQueue(url, { create: false }), 'QUEUE_MISSING', 'no consumer lading')
  })

  it.each([
    ['in memory', { storage: StorageType.Memory }, undefined, 'storage=memory'],
    ['that confirms nothing', { no_ack: true }, undefined, 'no_ack'],
    ['whose consumer acknowledges all before', {}, { ack_policy: AckPolicy.All }, 'acknowledges with all'],
    ['whose consumer is pushed to', {}, { deliver_subject: 'there' }, 'pushed to'],
    ['whose consumer gets headers alone', {}, { headers_only: true }, 'headers alone'],
  ])('%s is refused in one sentence, before anything is published', async (_, config, consumer, part) => {
    const url = freshUrl()
    await made(url, config, consumer)
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', part)
  })

  it('with a consumer for other subjects is refused', async () => {
    const url = freshUrl({ subject: 'new.a' })
    await made(url, { subjects: ['new.*'] }, { filter_subject: 'new.b' })
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', 'limited to new.b')
  })

  it('with a consumer for more than our subject is used', async () => {
    const url = freshUrl({ subject: 'more.a' })
    await made(url, { subjects: ['more.>'] }, { filter_subject: 'more.*' })
    await using queue = await openQueue(url)
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
  })

  it('is refused before anything is published where it does not take our subject', async () => {
    const url = freshUrl()
    await made(url, { subjects: ['inside.*'] }, {})
    for (const subject of ['elsewhere', 'inside.b.c', 'inside', 'inside.>'])
      await expectRefused(
        openQueue(`${url}&subject=${subject}`),
        'QUEUE_REFUSED',
        `does not take the subject ${subject}, but inside.*`,
      )
  })

  it('as a copy of another stream is not published to', async () => {
    const [first, url] = [freshUrl(), freshUrl()]
    await made(first, {})
    await made(url, { subjects: [], mirror: { name: streamOf(first) } }, {})
    await using copy = await openQueue(url)
    await expectRefused(copy.publish([messageOf('a', 0)]), 'QUEUE_REFUSED', 'a copy of another stream')
    expect(await copy.depth()).toMatchObject({ ready: 0, dead: 0 })
  })

  it('with more replicas than there are servers is refused', async () => {
    await expectRefused(openQueue(freshUrl({ replicas: '3' })), 'QUEUE_REFUSED', 'replicas')
  })

  it('with several subjects is published to where the URL names one', async () => {
    const url = freshUrl()
    await made(url, { subjects: ['two.a', 'two.b'] })
    await using queue = await openQueue(url)
    await expectRefused(queue.publish([messageOf('a', 0)]), 'QUEUE_REFUSED', 'subject=NAME')
    await using named = await openQueue(`${url}&subject=two.a&consumer=lading`)
    await named.publish([messageOf('a', 0)])
  })

  it.each([
    [{ max_age: 3_600e9 }, {}, 'after 3,600 s'],
    [{ max_msgs: 10 }, {}, 'max_msgs 10'],
    [{ max_bytes: 10_000_000 }, {}, 'max_bytes 10,000,000'],
    [{ max_msgs_per_subject: 5 }, {}, 'beyond 5 messages'],
    [{ retention: 'interest' }, {}, 'interest'],
    [{}, { max_deliver: 3 }, 'after 3 deliveries'],
    [{}, { deliver_policy: 'new' }, 'passed over messages'],
    [{ storage: StorageType.Memory }, {}, 'memory'],
  ])('is told of where it keeps less of the promise: %j %j', async (config, consumer, part) => {
    const url = freshUrl({ storage: 'memory' })
    await made(url, config, consumer)
    await using queue = await openQueue(url)
    expect(queue.traits.warnings).toEqual([expect.stringContaining(part)])
  })

  it('and the server has given a message up is counted as dead', async () => {
    const url = freshUrl()
    await made(url, { retention: 'workqueue' }, { max_deliver: 1, ack_wait: 1e9 })
    await using queue = await openQueue(url)
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    await reader.take(1)
    const looked = async () => {
      await reader.next()
      return await queue.depth()
    }
    await expect.poll(looked, { timeout: 10_000 }).toEqual({ ready: 0, inFlight: 0, dead: 1 })
  })

  it('and whose other subjects have consumers of their own counts none of their messages as dead', async () => {
    const url = freshUrl({ subject: 'shared.a' })
    const config = { subjects: ['shared.a', 'shared.b'], retention: 'workqueue' } as const
    await made(url, config, { max_deliver: 3, filter_subject: 'shared.a' })
    await using other = await openQueue(url.replace('shared.a', 'shared.b').concat('&consumer=other'))
    await other.publish([messageOf('b', 0)])
    await using queue = await openQueue(url)
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('takes messages of the size of the server, or of its own where that is less', async () => {
    await using queue = await openQueue(freshUrl())
    expect(queue.traits.maxBytes).toBeLessThan(200_000)
    const body = Buffer.alloc(queue.traits.maxBytes, 'x')
    await queue.publish([{ key: 'largest', body, headers: { long: 'x'.repeat(10_000) } }])
    await expectRefused(
      queue.publish([{ key: 'headers', body, headers: { long: 'x'.repeat(20_000) } }]),
      'MESSAGE_TOO_LARGE',
      'with its headers',
    )
    const url = freshUrl()
    await made(url, { max_msg_size: 50_000 })
    await using small = await openQueue(url)
    expect(small.traits.maxBytes).toBeLessThan(50_000)
  })
})
