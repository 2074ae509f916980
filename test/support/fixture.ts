/**
 * What a fault test stands on: files of numbered records, a queue, and a target in which a record that is
 * lost or doubled shows.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import type { ProduceOptions } from '../../src/producer/options.ts'
import { produce } from '../../src/producer/produce.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { balance } from '../../src/sink/receipt.ts'
import { openSink } from '../../src/sink/registry.ts'
import type { Receipt } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { freshDatabase, sessionOf } from '../../tooling/servers/database.ts'
import { numbers } from './model.ts'

export { numbers }

export interface Target extends AsyncDisposable {
  readonly url: string
  /** The ids in the table, sorted. */
  ids(): Promise<number[]>
  execute(sql: string): Promise<void>
}

export class Fixture implements AsyncDisposable {
  readonly folder: string
  readonly target: Target
  readonly #opened: AsyncDisposable[] = []
  #last = 0

  private constructor(folder: string, target: Target) {
    this.folder = folder
    this.target = target
  }

  static async open(target: 'sqlite' | 'postgres' | Target = 'sqlite'): Promise<Fixture> {
    const folder = await mkdtemp(join(tmpdir(), 'lading-faults-'))
    if (target === 'sqlite') return new Fixture(folder, sqliteTarget(join(folder, 'target.db')))
    return new Fixture(folder, target === 'postgres' ? await postgresTarget() : target)
  }

  get queueUrl(): string {
    return `embedded:${join(this.folder, 'queue.db')}`
  }

  /** `lease` in seconds. */
  async queue(lease = 60): Promise<Queue> {
    return this.#keep(await openQueue(`${this.queueUrl}?lease=${lease}`))
  }

  async sink(url = this.target.url): Promise<Sink> {
    return this.#keep(await openSink(url))
  }

  #keep<T extends AsyncDisposable>(opened: T): T {
    this.#opened.push(opened)
    return opened
  }

  /** A file with the next `count` numbers. */
  async file(count: number, name = `numbers-${this.#last}.csv`): Promise<string> {
    const path = join(this.folder, name)
    const lines = Array.from(
      { length: count },
      (_, index) => `${this.#last + index + 1},note of ${this.#last + index + 1}\n`,
    )
    this.#last += count
    await writeFile(path, `id,note\n${lines.join('')}`)
    return path
  }

  producing(queue: Queue, paths: readonly string[], more: Partial<ProduceOptions> = {}): ProduceOptions {
    return { paths, model: numbers, queue, statePath: join(this.folder, 'producer.db'), ...more }
  }

  /** Publishes the next `count` numbers in chunks of about `perChunk` records. */
  async publish(queue: Queue, count: number, perChunk = 10): Promise<string> {
    const path = await this.file(count)
    const [load] = await produce(this.producing(queue, [path], { chunkBytes: perChunk * 15 }))
    return load?.loadId ?? ''
  }

  /**
   * That each of the numbers given out so far, but `missing`, is in the target once, and that each receipt
   * adds up.
   */
  async expectAllOnce(missing: readonly number[] = []): Promise<readonly Receipt[]> {
    const expected = Array.from({ length: this.#last }, (_, index) => index + 1).filter(
      (id) => !missing.includes(id),
    )
    const ids = await this.target.ids()
    expect(faultsOf(ids, expected)).toEqual({ lost: [], doubled: [], unexpected: [] })
    await using sink = await openSink(this.target.url)
    const receipts = await sink.ledger.receipts({})
    for (const receipt of receipts) expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    expect(receipts.every(({ filtered }) => filtered === 0)).toBe(true)
    expect(receipts.reduce((sum, { loaded }) => sum + loaded, 0)).toBe(expected.length)
    return receipts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#opened.toReversed()) await each[Symbol.asyncDispose]()
    await this.target[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true })
  }
}

function faultsOf(ids: readonly number[], expected: readonly number[]) {
  const wanted = new Set(expected)
  const seen = new Set(ids)
  return {
    lost: expected.filter((id) => !seen.has(id)).slice(0, 10),
    doubled: ids.filter((id, index) => ids[index - 1] === id).slice(0, 10),
    unexpected: ids.filter((id) => !wanted.has(id)).slice(0, 10),
  }
}

export function sqliteTarget(path: string): Target {
  return {
    url: `sqlite:${path}`,
    ids: async () => {
      using file = new SqliteFile(path)
      return file.all<{ id: number }>('SELECT id FROM numbers ORDER BY id').map(({ id }) => id)
    },
    execute: async (sql) => {
      using file = new SqliteFile(path)
      file.exec(sql)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

export function duckdbTarget(path: string): Target {
  const ask = async (sql: string) => (await import('./duckdb.ts')).queryDuckdb(path, sql)
  return {
    url: `duckdb:${path}`,
    ids: async () => (await ask('SELECT id FROM numbers ORDER BY id')).map(({ id }) => Number(id)),
    execute: async (sql) => void (await ask(sql)),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function postgresTarget(): Promise<Target> {
  const database = await freshDatabase()
  return { ...serverTarget(database.url), [Symbol.asyncDispose]: () => database.drop() }
}

export function serverTarget(url: string): Target {
  return {
    url,
    ids: async () =>
      (await query<{ id: string }>(url, 'SELECT id FROM numbers ORDER BY id')).map(({ id }) => Number(id)),
    execute: async (sql) => void (await query(url, sql)),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** A script of several statements has no rows. */
export async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = await sessionOf(url)
  return (await client.query(sql)).rows as Row[]
}
