/** What stops a consumer, what it says of the message that it stopped at, and how to go on without it. */
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { Unanimity } from '../../src/sink/sql/unanimous.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { untouched, wrapSink } from '../support/wrappers.ts'
import { loadOf } from '../contract/sink/target.ts'

const consume = (queue: Queue, sink: Sink, more: Partial<ConsumerOptions> = {}) =>
  createConsumer({ queue, sink, model: numbers, ...more }).run({ untilEmpty: true })

async function failure(running: Promise<unknown>): Promise<LadingError> {
  const error: unknown = await running.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LadingError)
  return error as LadingError
}

/** A trigger whose function does not work, or refuses the rows for which the condition holds. */
const trigger = (body: string, when = 'true') => `
  CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN new; END $$;
  CREATE TRIGGER broken BEFORE INSERT ON numbers FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION broken()`

const missing = 'INSERT INTO nowhere VALUES (new.id)'
const forbidden = `RAISE EXCEPTION 'permission denied for table audit' USING ERRCODE = '42501'`

describePostgres('a trigger or a function of the table that does not work', () => {
  it.for([
    [
      missing,
      'SCHEMA_MISMATCH',
      'relation "nowhere" does not exist (SQLSTATE 42P01), PL/pgSQL function broken() line 1 at SQL statement',
    ],
    // What a function says itself may be data of the row.
    [forbidden, 'SINK_REFUSED', 'PostgreSQL: SQLSTATE 42501, PL/pgSQL function broken() line 1 at RAISE'],
    [
      "RAISE EXCEPTION 'lost' USING ERRCODE = 'XX000'",
      'SCHEMA_MISMATCH',
      'PostgreSQL: SQLSTATE XX000, PL/pgSQL function broken()',
    ],
  ] as const)(
    'stops the consumer when it refuses every row of two loads, and makes no reject: %s',
    async ([body, code, what]) => {
      await using fixture = await Fixture.open('postgres')
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      await sink.prepare(numbers)
      await fixture.target.execute(trigger(body))
      const loads = [await fixture.publish(queue, 3), await fixture.publish(queue, 4)]
      const { ready } = await queue.depth()
      const error = await failure(consume(queue, sink))
      expect(error).toMatchObject({ code, exitCode: 78, message: expect.stringContaining(what) })
      expect(error.message).toMatch(
        /^stopped at chunk .*\/0 \(numbers-\d\.csv, lines 2 to \d\): every row is refused with the same error/,
      )
      expect(loads.some((load) => error.stoppedAt === `${load}/0`)).toBe(true)
      expect(await sink.ledger.rejects({ limit: 10 })).toEqual([])
      expect(await queue.depth()).toMatchObject({ ready })
      await fixture.target.execute('DROP TRIGGER broken ON numbers')
      await consume(queue, sink)
      await fixture.expectAllOnce()
    },
  )

  it('makes rejects of a load, and loads it by their replay, as long as no other load says that it is the table', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await sink.prepare(numbers)
    await fixture.target.execute(trigger(missing))
    await fixture.publish(queue, 1)
    expect(await consume(queue, sink)).toMatchObject({ loaded: 0, rejected: 1 })
    await fixture.publish(queue, 30)
    expect(await failure(consume(queue, sink))).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    // Another process knows nothing of the load before.
    expect(await consume(queue, await fixture.sink())).toMatchObject({ loaded: 0, rejected: 30 })
  })

  it('is told from rows that it refuses in the same words, by a row of any load that is taken between', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await sink.prepare(numbers)
    await fixture.target.execute(trigger(forbidden, 'new.id <> 3'))
    for (const count of [2, 1, 2, 2]) await fixture.publish(queue, count)
    expect(await consume(queue, sink)).toMatchObject({ loaded: 1, rejected: 6, deadMessages: 0 })
  })

  it('is told from rows that it refuses in different words, and from values that a column refuses', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await sink.prepare(numbers)
    await fixture.target.execute(trigger("RAISE EXCEPTION 'not %', new.id USING ERRCODE = '42501'"))
    for (const count of [2, 3]) await fixture.publish(queue, count)
    expect(await consume(queue, sink)).toMatchObject({ loaded: 0, rejected: 5 })
    await fixture.target
      .execute(`DROP TRIGGER broken ON numbers; CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42601'; END $$;
      CREATE DOMAIN fine AS text CHECK (fine(value)); ALTER TABLE numbers ALTER note TYPE fine`)
    for (const count of [2, 3]) await fixture.publish(queue, count)
    expect(await consume(queue, sink)).toMatchObject({ loaded: 0, rejected: 5 })
    expect((await sink.ledger.rejects({ limit: 10 })).map(({ column }) => column)).toEqual([
      ...Array(5).fill(undefined),
      ...Array(5).fill('note'),
    ])
  })

  it('does not stop at a few messages of others', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await sink.prepare(numbers)
    await fixture.target.execute(trigger(forbidden, "new.note = 'bad'"))
    const message = (id: number, note: string) => ({
      key: `m${id}`,
      body: Buffer.from(JSON.stringify({ id, note })),
      headers: {},
    })
    await queue.publish([message(1, 'bad'), message(2, 'bad'), message(3, 'bad')])
    expect(await consume(queue, sink)).toMatchObject({ rejected: 3 })
    await queue.publish([message(4, 'good')])
    expect(await consume(queue, sink)).toMatchObject({ loaded: 1 })
  })
})

describe('rows refused in the same words', () => {
  const rowsOf = (key: string, rows: number, load = loadOf(9, 9)) => [{ part: { key, load }, rows }]

  it('are the fault of the table when there are many, however often their batch is written again, or when two loads have them', () => {
    const unanimity = new Unanimity(100)
    const load = loadOf(9, 9)
    for (let again = 0; again < 9; again++)
      expect(unanimity.isTables('no', rowsOf('a', 60, load))).toBe(false)
    expect(unanimity.isTables('no', rowsOf('b', 40, load))).toBe(true)
    unanimity.clear()
    expect(unanimity.isTables('no', rowsOf('a', 1))).toBe(false)
    expect(unanimity.isTables('no', rowsOf('b', 1))).toBe(true)
    expect(unanimity.isTables('other words', rowsOf('c', 1))).toBe(false)
    // Of this load no row was refused, because it had none in the batch.
    expect(unanimity.isTables('other words', rowsOf('d', 0))).toBe(false)
  })
})

for (const kind of ['sqlite', 'postgres'] as const) {
  const suite = kind === 'sqlite' ? describe : describePostgres
  suite(kind, () => {
    it('a consumer that stops names the message, and goes on without it when that is set aside', async () => {
      await using fixture = await Fixture.open(kind)
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      const loadId = await fixture.publish(queue, 100, 10)
      const poison = `${loadId}/3`
      const stopping = wrapSink(sink, untouched, {
        write: (batch, options) => {
          if (batch.parts.some(({ key }) => key === poison))
            throw new LadingError('SCHEMA_MISMATCH', 'says the test')
          return sink.write(batch, options)
        },
      })
      const error = await failure(consume(queue, stopping))
      const [, first, last] =
        /^stopped at chunk .*\/3 \(numbers-0\.csv, lines (\d+) to (\d+)\): says the test$/.exec(
          error.message,
        ) ?? []
      expect(error.stoppedAt).toBe(poison)
      const lost = Array.from(
        { length: Number(last) - Number(first) + 1 },
        (_, index) => Number(first) - 1 + index,
      )
      expect(await consume(queue, stopping, { setAside: [poison] })).toMatchObject({ deadMessages: 1 })
      await fixture.expectAllOnce(lost)
      const [letter] = await sink.ledger.deadLetters({ limit: 1 })
      expect(letter).toMatchObject({ key: poison, code: 'SET_ASIDE', records: lost.length })
      if (letter)
        expect(await replay(letter, { sink, model: numbers })).toMatchObject({ loaded: lost.length })
      await fixture.expectAllOnce()
    })

    it('a table that is gone is said with the message, and costs no record', async () => {
      await using fixture = await Fixture.open(kind)
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      await sink.prepare(numbers)
      const loadId = await fixture.publish(queue, 5)
      await fixture.target.execute('DROP TABLE numbers')
      const error = await failure(
        createConsumer({
          queue,
          sink: wrapSink(sink, untouched, { prepare: async () => ({ deferred: false }) }),
          model: numbers,
        }).run(),
      )
      expect(error).toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringContaining(`stopped at chunk ${loadId}/0 (numbers-0.csv, lines 2 to 6)`),
      })
      expect(await sink.ledger.rejects({ limit: 10 })).toEqual([])
      expect(await queue.depth()).toMatchObject({ ready: 1 })
    })

    it('a message of somebody else is named by its key', async () => {
      await using fixture = await Fixture.open(kind)
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      await queue.publish([{ key: "it's", body: Buffer.from('{"id":1}'), headers: {} }])
      const stopping = wrapSink(sink, async (method, real) => {
        if (method === 'write') throw new LadingError('SINK_REFUSED', 'says the test')
        return real()
      })
      const error = await failure(consume(queue, stopping))
      expect(error.message).toBe(`stopped at message "message:it's": says the test`)
      for (const key of ["message:it's", "it's"]) {
        expect(await consume(queue, sink, { setAside: [key] })).toMatchObject({ loaded: 0, deadMessages: 1 })
        await queue.publish([{ key: "it's", body: Buffer.from('{"id":2}'), headers: {} }])
      }
    })
  })
}
