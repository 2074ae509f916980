import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { describe, expect, it } from 'vitest'
import { useNats } from '../../tooling/servers/nats.ts'
import { expectError, Folder, records } from './run.ts'

const secret = 'CANARY-pw'
const { server, freshUrl } = useNats({
  settings: `authorization { users: [{ user: "me", password: "${secret}" }] }`,
  client: { user: 'me', pass: secret },
})

function withPassword(url: string, password = secret): string {
  const parts = new URL(url)
  parts.username = 'me'
  parts.password = password
  return parts.href
}

async function manager() {
  const nats = await server().connect()
  return { nats, streams: (await jetstreamManager(nats)).streams, [Symbol.asyncDispose]: () => nats.close() }
}

const nameIn = (url: string): string => new URL(url).searchParams.get('stream') ?? ''

describe('lading with a stream of NATS', () => {
  it('loads files, and messages of others, each record once', async () => {
    const url = withPassword(freshUrl())
    await using folder = await Folder.make({ 'a.csv': records(50) })
    const to = ['--to', 'sqlite:target.db', '--queue', url]
    const produced = await folder.lading('produce', 'a.csv', '--queue', url, '--chunk-bytes', '200')
    expect(produced.code, produced.err).toBe(0)
    expect(await folder.json('status', ...to)).toMatchObject({ queue: { ready: 7, dead: 0 } })
    const seen = await folder.lading('peek', '--queue', url)
    expect(seen.code, seen.err).toBe(0)
    expect(seen.out + seen.err).not.toContain(secret)
    const consumed = await folder.lading('consume', '--until-empty', ...to)
    expect(consumed.code, consumed.err).toBe(0)
    expect(consumed.err).not.toContain('warning')
    expect(await folder.json('status', ...to)).toMatchObject({
      queue: { ready: 0, inFlight: 0, dead: 0 },
      loads: [{ records: 50, loaded: 50, open: 0 }],
    })
  })

  it('reads a stream of orders that other programs fill and keep', async () => {
    const url = withPassword(freshUrl({ subject: 'orders.new' }))
    await using made = await manager()
    await made.streams.add({ name: nameIn(url), subjects: ['orders.*'] })
    for (let id = 1; id <= 5; id++)
      await jetstream(made.nats).publish(
        'orders.new',
        JSON.stringify({ record_time: `2021-01-01T00:00:0${id}Z`, sensor_id: 'a', value: id }),
      )
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const consumed = await folder.lading(
      'consume',
      '--until-empty',
      '--to',
      'sqlite:target.db',
      '--queue',
      url,
    )
    expect(consumed.code, consumed.err).toBe(0)
    expect((await made.streams.info(nameIn(url))).state.messages).toBe(5)
  })

  it.each<[string, (url: string) => string, readonly string[], 'QUEUE_REFUSED' | 'QUEUE_MISSING', string]>([
    [
      'the password is wrong',
      (url) => withPassword(url, `not-${secret}`),
      [],
      'QUEUE_REFUSED',
      'the server refuses',
    ],
    [
      'the stream is to be there and is not',
      (url) => withPassword(url),
      ['--no-create'],
      'QUEUE_MISSING',
      'no such stream',
    ],
  ])('ends with 78 and one line when %s', async (_, wrong, flags, code, part) => {
    const url = wrong(freshUrl())
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const runs = await Promise.all([
      folder.lading('produce', 'a.csv', '--queue', url, ...flags),
      folder.lading('consume', '--queue', url, ...flags),
    ])
    for (const run of runs) {
      expectError(run, code, 78, part)
      expect(run.err).toMatch(/^.+\n$/)
      expect(run.err).not.toContain(secret)
    }
  })

  it('status makes no stream', async () => {
    const url = withPassword(freshUrl())
    await using folder = await Folder.make()
    expect(await folder.json('status', '--queue', url)).toMatchObject({
      queue: { ready: 0, inFlight: 0, dead: 0 },
    })
    await using made = await manager()
    await expect(made.streams.info(nameIn(url))).rejects.toThrow('not found')
  })

  it('waits for a server that is not there, and ends with 69', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const url = `nats://me:${secret}@127.0.0.1:1/?stream=q`
    const run = await folder.lading('produce', 'a.csv', '--queue', url, '--start-timeout', '2')
    expectError(run, 'QUEUE_UNAVAILABLE', 69, 'connection refused')
    expect(run.err).toMatch(/^waiting .*QUEUE_UNAVAILABLE/)
    expect(run.err).not.toContain(secret)
  })
})
