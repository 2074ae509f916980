/**
 * One queue, several databases: whose messages a load and a consumer take, and what is said of those that
 * they leave.
 */
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { externalClient } from '../queue/external-client.ts'
import { Folder, records, type Run, library } from './run.ts'

/** Slow where it is asked to be, and then it counts what it has done. */
const model = `
import { appendFileSync } from 'node:fs'
import { defineModel } from '${library}'
import { text } from '${library}'
const slow = (value: string) => {
  if (process.env.SLOW === undefined) return value
  appendFileSync('busy', '.\\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  return value
}
export default defineModel({ table: 'records', columns: { record_time: text(), sensor_id: text(), value: text().transform(slow) } })`

interface Loaded {
  readonly loadedNow: number
  readonly left: {
    readonly messages: number
    readonly of: readonly { readonly load?: { readonly source: string; readonly database: string } }[]
  }
}

/** A folder whose commands have the same model and queue. */
class Shared implements AsyncDisposable {
  readonly folder: Folder
  readonly #env: Readonly<Record<string, string>>

  private constructor(folder: Folder, queue: string) {
    this.folder = folder
    this.#env = { LADING_MODEL: './model.ts', LADING_QUEUE: queue }
  }

  static async make(queue: string): Promise<Shared> {
    return new Shared(
      await Folder.make({ 'model.ts': model, 'x.csv': records(40), 'y.csv': records(3) }),
      queue,
    )
  }

  lading(...args: readonly string[]): Promise<Run> {
    return this.folder.run(args, { env: this.#env })
  }

  async json<T = unknown>(...args: readonly string[]): Promise<T> {
    const run = await this.lading(...args, '--json')
    expect(run.code, run.err).toBe(0)
    return JSON.parse(run.out) as T
  }

  rows(database: string): number {
    return this.folder.rows('records', database)
  }

  /** A broker counts a message twice while it moves it from one of its queues to another. */
  async waiting(): Promise<number> {
    const count = async () => (await this.json<{ queue: { ready: number } }>('status')).queue.ready
    let last = Number.NaN
    await expect.poll(async () => last === (last = await count()), { timeout: 20_000 }).toBe(true)
    return last
  }

  /** Stops a load of x.csv into staging.db when some of its chunks are loaded, and many wait in the queue. */
  async interrupt(): Promise<void> {
    const args = [
      'load',
      'x.csv',
      '--to',
      'sqlite:staging.db',
      '--chunk-bytes',
      '30',
      '--batch-messages',
      '1',
    ]
    const child = this.folder.start(args, { ...this.#env, SLOW: '1' })
    const closed = once(child, 'close')
    await expect
      .poll(async () => (await this.folder.lines('busy')).length, { timeout: 20_000 })
      .toBeGreaterThan(3)
    child.kill('SIGINT')
    expect(await closed).toEqual([75, null])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]()
  }
}

function sharing(queueUrl: () => string): void {
  it('what an interrupted load left for one database, no load and no consumer of another takes; the same command goes on', async () => {
    await using shared = await Shared.make(queueUrl())
    await shared.interrupt()
    const loaded = shared.rows('staging.db')
    expect(loaded).toBeGreaterThan(0)
    expect(loaded).toBeLessThan(40)

    const run = await shared.lading('load', 'y.csv', '--to', 'sqlite:prod.db')
    expect(run.code, run.err).toBe(0)
    const left = await shared.waiting()
    expect(run.out).toContain(`left in the queue: ${left} messages that are not of this load\n`)
    const path = await realpath(shared.folder.path)
    expect(run.out).toContain(
      `x.csv, for ${path}/staging.db: lading load ${shared.folder.at('x.csv')} --to sqlite:${path}/staging.db`,
    )
    // What was met a moment ago is out of sight for two seconds, and counted all the same.
    expect(await shared.json<Loaded>('load', 'y.csv', '--to', 'sqlite::memory:')).toMatchObject({
      loadedNow: 3,
      left: { messages: left },
    })
    expect(
      await shared.json('load', 'y.csv', '--to', 'sqlite:processes.db', '--consumers', '2'),
    ).toMatchObject({ loadedNow: 3 })
    expect(await shared.json('consume', '--until-empty', '--to', 'sqlite:prod.db')).toMatchObject({
      messages: 0,
      loaded: 0,
    })
    for (const database of ['prod.db', 'processes.db']) expect(shared.rows(database)).toBe(3)
    expect(await shared.lading('verify', '--to', 'sqlite:prod.db')).toMatchObject({ code: 0 })

    // Another file for the same database is another load.
    expect(await shared.json<Loaded>('load', 'y.csv', '--to', 'sqlite:./staging.db')).toMatchObject({
      loadedNow: 3,
      left: { messages: left },
    })
    expect(
      await shared.json('load', 'x.csv', '--to', 'sqlite:./staging.db', '--chunk-bytes', '30'),
    ).toMatchObject({
      receipts: [{ loaded: 40, open: 0 }],
      left: { messages: 0 },
    })
    expect(shared.rows('staging.db')).toBe(43)
    expect(await shared.waiting()).toBe(0)
  }, 60_000)

  it('what produce left for any consumer, a load leaves, be it a trial in memory or of the same file', async () => {
    await using shared = await Shared.make(queueUrl())
    await shared.lading('produce', 'x.csv')
    expect(await shared.json<Loaded>('load', 'y.csv', '--to', 'sqlite::memory:')).toMatchObject({
      loadedNow: 3,
      left: { messages: 1, of: [{ load: { source: 'x.csv', database: 'any' } }] },
    })
    expect(await shared.json<Loaded>('load', 'x.csv', '--to', 'sqlite::memory:')).toMatchObject({
      loadedNow: 40,
      left: { messages: 1 },
    })
    const told = await shared.lading('load', 'y.csv', '--to', 'sqlite::memory:')
    expect(told.out).toMatch(/^ {2}x\.csv, for any consumer: lading consume/m)
    expect(await shared.json('consume', '--until-empty')).toMatchObject({ loaded: 40 })
  })
}

describe('the embedded queue', () => {
  sharing(() => 'embedded:queue.db')

  it('what an interrupted load left, a consumer of its database finishes', async () => {
    await using shared = await Shared.make('embedded:queue.db')
    await shared.interrupt()
    // Who has no plan of it does not know where its file is.
    for (const [database, whose] of [
      ['other', /^ {2}x\.csv, for another database$/m],
      ['staging', /^ {2}x\.csv, for this database: lading consume/m],
    ] as const) {
      const args = ['load', 'y.csv', '--to', `sqlite:${database}.db`, '--state', `${database}-state.db`]
      expect((await shared.lading(...args)).out).toMatch(whose)
    }
    await shared.lading('consume', '--until-empty', '--to', 'sqlite:staging.db')
    expect(shared.rows('staging.db')).toBe(43)
    expect(await shared.waiting()).toBe(0)
  })

  it('a load whose database has everything takes its own chunks out of the queue all the same, from among those of others', async () => {
    await using shared = await Shared.make('embedded:queue.db')
    await shared.lading('produce', 'y.csv')
    await shared.interrupt()
    const load = (queue: string) =>
      shared.json<Loaded>(
        'load',
        'x.csv',
        '--to',
        'sqlite:staging.db',
        '--chunk-bytes',
        '30',
        '--queue',
        queue,
      )
    expect(await load('embedded:other.db')).toMatchObject({ left: { messages: 0 } })
    expect(await load('embedded:queue.db')).toMatchObject({
      loadedNow: 0,
      left: { messages: 1, of: [{ load: { source: 'y.csv' } }] },
    })
    expect(shared.rows('staging.db')).toBe(40)
  })

  it.each(['1', '2'])(
    'a load of %s consumers ends when a chunk of it has become a dead letter without a verdict, among messages of others',
    async (consumers) => {
      await using shared = await Shared.make('embedded:queue.db')
      // Where the model masks, the letter of a chunk keeps none of its bytes, so that the chunk stays open.
      const imports = `import { redact } from '${library}'\n`
      await shared.folder.write(
        'model.ts',
        imports + model.replace('sensor_id: text()', 'sensor_id: text().mask(redact())'),
      )
      await shared.lading('produce', 'y.csv')
      const args = ['load', 'x.csv', '--chunk-bytes', '300', '--consumers', consumers]
      const trial = await shared.json<{ produced: { loadId: string }[] }>(...args, '--to', 'sqlite:trial.db')
      const aside = `${trial.produced[0]?.loadId}/1`
      const run = await shared.lading(...args, '--set-aside', aside)
      expect(run.err).toContain(`dead letter ${aside}: SET_ASIDE`)
      expect(run).toMatchObject({ code: 1, out: expect.stringContaining('records without a verdict yet') })
      expect(await shared.waiting()).toBe(1)
      expect((await shared.lading('verify')).out).toMatch(
        /without a verdict yet: .*, or a message is a dead letter: lading verify --republish-missing\b.*\n1 message in dead letters: lading dead list/,
      )
      // Without a verdict it is published again.
      expect(await shared.json(...args)).toMatchObject({ receipts: [{ loaded: 40, open: 0 }] })
    },
  )

  it('chunks that a killed process still holds are not said to be of others', async () => {
    await using shared = await Shared.make('embedded:queue.db')
    const args = ['load', 'x.csv', '--chunk-bytes', '30', '--batch-messages', '1']
    const child = shared.folder.start(args, {
      LADING_MODEL: './model.ts',
      LADING_QUEUE: 'embedded:queue.db',
      SLOW: '1',
    })
    const closed = once(child, 'close')
    await expect
      .poll(async () => (await shared.folder.lines('busy')).length, { timeout: 20_000 })
      .toBeGreaterThan(3)
    child.kill('SIGKILL')
    await closed
    const run = await shared.lading(...args)
    expect(run).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^left in the queue: \d+ messages? that this load did not see; any of its own are repeats: /m,
      ),
    })
    expect(shared.rows('lading.db')).toBe(40)
  })

  it('verify of one database does not miss what was published for any and arrived in another', async () => {
    await using shared = await Shared.make('embedded:queue.db')
    await shared.lading('load', 'y.csv', '--to', 'sqlite:b.db')
    await shared.lading('produce', 'x.csv')
    // Nobody knows yet for which it is.
    expect(await shared.lading('verify', '--to', 'sqlite:b.db')).toMatchObject({ code: 1 })
    expect(await shared.json('consume', '--until-empty', '--to', 'sqlite:a.db')).toMatchObject({ loaded: 40 })
    const [one, other] = await Promise.all(
      ['a', 'b'].map((name) => shared.lading('verify', '--to', `sqlite:${name}.db`)),
    )
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining('x.csv') })
    expect(other).toMatchObject({ code: 0, out: expect.not.stringContaining('x.csv') })
  })
})

describeRabbit('RabbitMQ', () => {
  sharing(freshQueueUrl)

  it('messages of others, a load leaves to a consumer', async () => {
    const url = freshQueueUrl()
    await using shared = await Shared.make(url)
    await shared.lading('consume', '--until-empty')
    await using other = await externalClient(url)
    await other.publish(JSON.stringify({ record_time: 'now', sensor_id: 'a', value: 'b' }), {
      messageId: '1',
    })
    expect(await shared.json<Loaded>('load', 'y.csv')).toMatchObject({
      loadedNow: 3,
      left: { messages: 1, of: [{ type: 'foreign' }] },
    })
    expect(await shared.json('consume', '--until-empty')).toMatchObject({ loaded: 1 })
  })
})
