/** The disk of the database fills up in the middle of a load, and is freed again. */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import { DuckdbSink } from '../../src/sink/duckdb/duckdb.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startPostgres } from '../../tooling/servers/postgres.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { duckdbTarget, numbers, query, serverTarget, sqliteTarget, Fixture } from '../support/fixture.ts'
import { EventLog } from '../support/wrappers.ts'

const mount = (folder: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=777', 'tmpfs', folder]).status === 0

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'lading-mount-'))
  const can = mount(folder)
  if (can) spawnSync('umount', [folder])
  rmdirSync(folder)
  return can
}

const able = canMount()
if (!able && process.env['CI'] && process.getuid?.() === 0)
  throw new Error('the tests of a full disk need the right to mount a tmpfs')
const name = able ? 'a disk of 8 MiB' : 'a disk of 8 MiB (SKIPPED: no right to mount a tmpfs)'

describe.skipIf(!able)(name, () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lading-disk-'))
    chmodSync(folder, 0o755)
    expect(mount(folder)).toBe(true)
  })
  afterEach(() => {
    spawnSync('umount', ['-l', folder])
    rmdirSync(folder)
  })

  const ballast = () => join(folder, 'ballast')

  /** Takes all space that is left, but for `bytes`. */
  function fill(bytes = 0): void {
    const file = openSync(ballast(), 'a')
    const block = Buffer.alloc(16_384)
    try {
      for (;;) writeSync(file, block)
    } catch {
      ftruncateSync(file, fstatSync(file).size - bytes)
      closeSync(file)
    }
  }

  async function holdsAndGoesOn(
    fixture: Fixture,
    code: string,
    batch: NonNullable<ConsumerOptions['batch']>,
  ): Promise<void> {
    const queue = await fixture.queue()
    const sink = await fixture.sink()
    await sink.prepare(numbers)
    await produce(fixture.producing(queue, [await fixture.file(40_000)], { chunkBytes: 16 * 1024 }))
    const eventLog = new EventLog()
    const running = createConsumer({ queue, sink, model: numbers, batch, onEvent: eventLog.listen }).run({
      untilEmpty: true,
    })
    await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(2)
    fill()
    await expect.poll(() => eventLog.of('waiting').length, { timeout: 20_000 }).toBeGreaterThan(1)
    expect(eventLog.of('waiting').every((event) => event.code === code)).toBe(true)
    expect(eventLog.of('dead')).toEqual([])
    rmSync(ballast())
    expect(await running).toMatchObject({ loaded: 40_000, deadMessages: 0, rejected: 0 })
    expect(eventLog.of('resumed')).toMatchObject([{ code }])
    await fixture.expectAllOnce()
  }

  it('that SQLite fills: it holds, goes on by itself when there is space, and loses nothing', async () => {
    await using fixture = await Fixture.open(sqliteTarget(join(folder, 'target.db')))
    await holdsAndGoesOn(fixture, 'SINK_HOLD', { bytes: 1, messages: 1 })
  })

  it('that DuckDB fills: it holds, goes on by itself when there is space, and loses nothing', async () => {
    await using fixture = await Fixture.open(duckdbTarget(join(folder, 'target.duckdb')))
    await holdsAndGoesOn(fixture, 'SINK_HOLD', { bytes: 1, messages: 1 })
  })

  it('that is full when a DuckDB file is opened after a kill: it holds, and the same sink goes on when there is space', async () => {
    const path = join(folder, 'target.duckdb')
    const killed = join(import.meta.dirname, '..', 'support', 'processes', 'duckdb-killed.ts')
    expect(await once(fork(killed, [path]), 'exit')).toEqual([null, 'SIGKILL'])
    await using sink = new DuckdbSink(path)
    fill()
    for (let attempt = 0; attempt < 5; attempt++)
      await expect(sink.prepare()).rejects.toMatchObject({ code: 'SINK_HOLD' })
    rmSync(ballast())
    await sink.prepare()
    expect(await queryDuckdb(path, 'SELECT id FROM items')).toEqual([{ id: 2 }])
  })

  it.for([0, 4_096, 8_192, 12_288])(
    'that is full while DuckDB makes a file holds, and the same sink makes it when there is space: %d bytes left',
    async (left) => {
      await using sink = new DuckdbSink(join(folder, 'target.duckdb'))
      fill(left)
      for (let attempt = 0; attempt < 2; attempt++)
        await expect(sink.prepare()).rejects.toMatchObject({ code: 'SINK_HOLD' })
      rmSync(ballast())
      await sink.prepare()
    },
  )

  it('that is full from the start says so, and a file too large for it is not half loaded', async () => {
    fill()
    await using fixture = await Fixture.open(sqliteTarget(join(folder, 'target.db')))
    const queue = await fixture.queue()
    await fixture.publish(queue, 100)
    const eventLog = new EventLog()
    const running = createConsumer({
      queue,
      sink: await fixture.sink(),
      model: numbers,
      onEvent: eventLog.listen,
    }).run({
      untilEmpty: true,
    })
    await expect.poll(() => eventLog.of('waiting').length, { timeout: 20_000 }).toBeGreaterThan(1)
    rmSync(ballast())
    await running
    await fixture.expectAllOnce()
  })

  it('that the queue is on: publishing holds, and goes on by itself', async () => {
    await using fixture = await Fixture.open()
    const url = `embedded:${join(folder, 'queue.db')}`
    const { openQueue } = await import('../../src/queue/registry.ts')
    await using queue = await openQueue(url)
    const eventLog = new EventLog()
    const path = await fixture.file(40_000)
    fill()
    const producing = produce(
      fixture.producing(queue, [path], { chunkBytes: 16 * 1024, onEvent: eventLog.listen }),
    )
    await expect.poll(() => eventLog.of('waiting').length, { timeout: 20_000 }).toBeGreaterThan(1)
    expect(eventLog.of('waiting')[0]).toMatchObject({ code: 'QUEUE_HOLD' })
    rmSync(ballast())
    await producing
    await createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })
    await fixture.expectAllOnce()
  })

  describePostgres('PostgreSQL', () => {
    it('that PostgreSQL fills: it holds, goes on by itself when there is space, and loses nothing', async (context) => {
      await using server = await startPostgres()
      // A server in a container cannot see the folder.
      if (server.dataDirectory === '') return context.skip('the server is in a container')
      const space = join(folder, 'space')
      mkdirSync(space)
      spawnSync('chown', ['--reference', server.dataDirectory, space])
      expect(existsSync(space)).toBe(true)
      await query(server.url, `CREATE TABLESPACE small LOCATION '${space}'`)
      await query(server.url, 'CREATE TABLE numbers (id bigint NOT NULL, note text) TABLESPACE small')
      await using fixture = await Fixture.open(serverTarget(server.url))
      await holdsAndGoesOn(fixture, 'SINK_HOLD', { bytes: 1, messages: 1 })
      return undefined
    })
  })
})
