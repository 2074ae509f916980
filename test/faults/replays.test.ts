/**
 * `lading rejects replay` is killed with SIGKILL again and again, two of them at a time: each record takes
 * effect once or not at all.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { rejectPages } from '../../src/review/rejects.ts'
import { produce } from '../../src/producer/produce.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { randomFrom } from '../support/restarted-process.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { bin } from '../support/lading.ts'

const records = 3_000

/** Records that a trigger refuses, which is then taken away. */
async function refusedOnce(fixture: Fixture, sink: Sink, refuse: string, relent: string): Promise<void> {
  await sink.prepare(numbers)
  await fixture.target.execute(refuse)
  const queue = await fixture.queue()
  const path = await fixture.file(records)
  await produce(fixture.producing(queue, [path], { chunkBytes: 20_000 }))
  const tally = await createConsumer({ queue, model: numbers, sink }).run({ untilEmpty: true })
  expect(tally).toMatchObject({ loaded: 0, rejected: records })
  await fixture.target.execute(relent)
}

async function openCount(sink: Sink): Promise<number> {
  return (await sink.ledger.rejectGroups({})).reduce((sum, { rejects }) => sum + rejects, 0)
}

/**
 * Until the rejects are gone: processes replay them and are killed at a moment of their work, which takes
 * longer than `withinMs`.
 */
async function replayAndKill(sink: Sink, url: string, seed: number, withinMs: number): Promise<number> {
  const random = randomFrom(seed)
  const args = [
    bin,
    'rejects',
    'replay',
    '--to',
    url,
    '--model',
    join(import.meta.dirname, '../support/model.ts'),
  ]
  let kills = 0
  for (let left = await openCount(sink); left > 0; left = await openCount(sink)) {
    const children = [1, 2].map(() => spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
    const ended = children.map((child) => once(child, 'close'))
    for (const child of children) {
      // It tells of the first records when the first transaction has taken effect, so that it is killed in
      // one of those that follow.
      child.stdout?.once('data', () => setTimeout(() => child.kill('SIGKILL'), random() * withinMs))
    }
    for (const [, signal] of await Promise.all(ended)) if (signal === 'SIGKILL') kills++
  }
  return kills
}

async function expectOnce(fixture: Fixture, sink: Sink): Promise<void> {
  await fixture.expectAllOnce()
  for await (const page of rejectPages(sink.ledger, { all: true })) {
    expect(page.filter(({ state }) => state !== 'replayed')).toEqual([])
  }
  expect(await sink.ledger.receipts({})).toMatchObject([
    { records, loaded: records, rejected: 0, rejectRows: 0 },
  ])
}

describePostgres('PostgreSQL', () => {
  it(
    'a replay that is killed at any moment has taken effect once or not at all',
    { timeout: 120_000 },
    async () => {
      await using fixture = await Fixture.open('postgres')
      const sink = await fixture.sink()
      await refusedOnce(
        fixture,
        sink,
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION refuse()`,
        'DROP TRIGGER refuse ON numbers',
      )
      const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
      const kills = await replayAndKill(sink, fixture.target.url, seed, 60)
      console.log(`replays: ${JSON.stringify({ seed, kills })}`)
      expect(kills).toBeGreaterThan(2)
      await expectOnce(fixture, sink)
    },
  )
})

it(
  'a replay into SQLite that is killed at any moment has taken effect once or not at all',
  { timeout: 120_000 },
  async () => {
    await using fixture = await Fixture.open('sqlite')
    const sink = await fixture.sink()
    const refuse = "CREATE TRIGGER refuse BEFORE INSERT ON numbers BEGIN SELECT RAISE(ABORT, 'no'); END"
    await refusedOnce(fixture, sink, refuse, 'DROP TRIGGER refuse')
    const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
    const kills = await replayAndKill(sink, fixture.target.url, seed, 15)
    console.log(`replays: ${JSON.stringify({ seed, kills })}`)
    expect(kills).toBeGreaterThan(2)
    await expectOnce(fixture, sink)
  },
)
