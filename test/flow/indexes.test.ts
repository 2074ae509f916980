/** Indexes that a load takes away from an empty table and builds at its end. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import pg from 'pg'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { ignoreEvents, type LadingEvent, type Listener } from '../../src/core/events.ts'
import type { DeferIndexes } from '../../src/load/indexes.ts'
import { LadingError } from '../../src/core/errors.ts'
import { load, type LoadOptions } from '../../src/load/load.ts'
import { brin, type Model } from '../../src/model/model.ts'
import { sleep } from '../../src/core/wait.ts'
import { produce } from '../../src/producer/produce.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import type { Built, Sink } from '../../src/sink/sink.ts'
import { startLading } from '../support/lading.ts'
import { randomFrom } from '../support/restarted-process.ts'
import { query, Fixture } from '../support/fixture.ts'
import { untouched, wrapSink } from '../support/wrappers.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { root } from '../structure/sources.ts'
import { keyedNumbers } from './keyed-numbers.ts'

const catalog = `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition, conname, pg_get_constraintdef(c.oid) AS rule
  FROM pg_index LEFT JOIN pg_constraint c ON conindid = indexrelid WHERE indrelid = 'numbers'::regclass ORDER BY 1`

/** Loads the file in chunks of a few records, through a queue of its own. */
async function loadInto(
  fixture: Fixture,
  model: Model,
  paths: readonly string[],
  deferIndexes: DeferIndexes,
  onEvent: Listener = ignoreEvents,
) {
  const queue = await fixture.queue()
  const sink = await fixture.sink()
  const { receipts } = await load({
    ...fixture.producing(queue, paths, { model, chunkBytes: 100 }),
    sink,
    deferIndexes,
    onEvent,
  })
  const rejects = await sink.ledger.rejects({ limit: 1_000 })
  return {
    receipts: receipts.map(({ startedAt: _startedAt, lastAt: _lastAt, ...receipt }) => receipt),
    rejects: rejects.map(({ at: _at, id: _id, ...reject }) => ({
      ...reject,
      raw: Buffer.from(reject.raw).toString(),
    })),
    rows: await query(fixture.target.url, 'SELECT id, note FROM numbers ORDER BY id, note'),
    indexes: await query(fixture.target.url, catalog),
  }
}

const withPolicy = (onConflict: Model['onConflict']): Model => ({
  ...keyedNumbers,
  onConflict,
  fingerprint: `${keyedNumbers.fingerprint}${onConflict}`,
})

/** What a file with doubled keys and a bad record becomes. */
async function outcome(model: Model, deferIndexes: DeferIndexes) {
  await using fixture = await Fixture.open('postgres')
  const path = join(fixture.folder, 'doubles.csv')
  const lines = Array.from({ length: 60 }, (_, line) =>
    line === 33 ? 'x,bad' : `${line % 50},"line ${line}\nof it"`,
  )
  await writeFile(path, `id,note\n${lines.join('\n')}\n`)
  const events: string[] = []
  const result = await loadInto(fixture, model, [path], deferIndexes, (event) => {
    if (event.type === 'indexes') events.push(event.state)
  })
  return { result, events }
}

/** Holds up this process meanwhile. */
function executeAtOnce(url: string, sql: string): void {
  const script = `const client = new (require('pg').Client)(process.argv[1])
    client.connect().then(() => client.query(process.argv[2])).finally(() => client.end())`
  execFileSync(process.execPath, ['-e', script, url, sql], { cwd: root })
}

describePostgres('indexes left for the end of a load', () => {
  it('are as they were, whatever the table has', async () => {
    await using fixture = await Fixture.open('postgres')
    await fixture.target.execute(`CREATE SCHEMA other; SET search_path = other, public;
      CREATE TABLE public.numbers (id integer CONSTRAINT "the key" PRIMARY KEY DEFERRABLE, note text NOT NULL, CONSTRAINT "o'note" UNIQUE (note, id));
      CREATE INDEX "Half" ON public.numbers (lower(note) DESC) INCLUDE (id) WITH (fillfactor = 50) WHERE id > 10;
      CREATE UNIQUE INDEX the_pair ON public.numbers (id, note)`)
    const before = await query(fixture.target.url, catalog)
    const path = await fixture.file(1_000)
    const states: (string | number)[] = []
    const { indexes } = await loadInto(fixture, keyedNumbers, [path], 'always', (event) => {
      if (event.type === 'indexes') states.push(event.state)
    })
    expect(states).toEqual(['deferred', 'building', 'built'])
    expect(before).toHaveLength(4)
    expect(indexes).toEqual(before)
    await fixture.expectAllOnce()
    expect(await query(fixture.target.url, 'SELECT FROM lading.deferred')).toEqual([])
  })

  it.for(['error', 'skip', 'update'] as const)(
    'rows that share a key come out as without that: onConflict %s',
    async (onConflict) => {
      const always = await outcome(withPolicy(onConflict), 'always')
      const never = await outcome(withPolicy(onConflict), 'never')
      expect(always.events).toEqual(['deferred', 'building'])
      expect(never.events).toEqual([])
      expect(always.result).toEqual(never.result)
      expect(always.result.indexes).toHaveLength(3)
      expect(always.result.rejects).toHaveLength(onConflict === 'error' ? 11 : 1)
    },
  )

  it.for([
    ['has rows', 'INSERT INTO numbers VALUES (0, $$of others$$)'],
    [
      'has triggers',
      'CREATE TRIGGER t BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ],
    ['others refer', 'CREATE TABLE others (id integer REFERENCES numbers)'],
    ['others depend', 'CREATE VIEW others AS SELECT id, note FROM numbers GROUP BY id'],
    ['more than its definition', 'ALTER TABLE numbers CLUSTER ON numbers_pkey'],
    ['no index', 'ALTER TABLE numbers DROP CONSTRAINT numbers_pkey'],
  ] as const)('are never taken from a table that is not ours alone: %s', async ([reason, sql]) => {
    await using fixture = await Fixture.open('postgres')
    await fixture.target.execute(
      `CREATE TABLE numbers (id integer PRIMARY KEY, note text NOT NULL); ${sql.replaceAll('$$', "'")}`,
    )
    const before = await query(fixture.target.url, catalog)
    const path = await fixture.file(10)
    await expect(loadInto(fixture, keyedNumbers, [path], 'always')).rejects.toMatchObject({
      code: 'DEFER_REFUSED',
      message: expect.stringContaining(reason),
    })
    expect(await query(fixture.target.url, catalog)).toEqual(before)
    if (reason === 'has triggers') return
    expect((await loadInto(fixture, keyedNumbers, [path], 'auto')).indexes).toEqual(before)
  })

  it('a load that was interrupted is gone on with, and a consumer that comes instead builds them first', async () => {
    for (const next of ['load', 'consumer'] as const) {
      await using fixture = await Fixture.open('postgres')
      const paths = [await fixture.file(500), await fixture.file(300)]
      const queue = await fixture.queue()
      const options = fixture.producing(queue, paths.slice(0, 1), { model: keyedNumbers, chunkBytes: 100 })
      {
        await using first = await openSink(fixture.target.url)
        expect(await first.prepare(keyedNumbers, { deferIndexes: 'begin' })).toMatchObject({
          deferred: true,
          reason: undefined,
        })
        await produce(options)
        await createConsumer({ queue, model: keyedNumbers, sink: first, batch: { messages: 5 } }).run({
          batches: 3,
        })
        // While it is at work, others do not build in the middle of it.
        await using other = await openSink(fixture.target.url)
        expect(await other.prepare(keyedNumbers, { deferIndexes: 'resume' })).toMatchObject({
          deferred: true,
        })
        await using besideLoad = await openSink(fixture.target.url)
        await expect(besideLoad.prepare(keyedNumbers)).rejects.toMatchObject({ code: 'SINK_BUSY' })
        expect(await besideLoad.missingIndexes?.()).toEqual([])
      }
      const missing = async () => await (await fixture.sink()).missingIndexes?.()
      await expect.poll(missing).toEqual([{ table: 'numbers', indexes: 3 }])
      expect(await query(fixture.target.url, catalog)).toEqual([])
      if (next === 'load')
        expect((await loadInto(fixture, keyedNumbers, paths, 'auto')).indexes).toHaveLength(3)
      else {
        const sink = await fixture.sink()
        await sink.prepare(keyedNumbers)
        expect(await query(fixture.target.url, catalog)).toHaveLength(3)
        await createConsumer({ queue, model: keyedNumbers, sink }).run({ untilEmpty: true })
        await loadInto(fixture, keyedNumbers, paths, 'never')
      }
      await fixture.expectAllOnce()
    }
  })

  it('are not taken from whoever has prepared the table and waits for messages', async () => {
    await using fixture = await Fixture.open('postgres')
    await (await fixture.sink()).prepare(keyedNumbers)
    const path = await fixture.file(10)
    await expect(loadInto(fixture, keyedNumbers, [path], 'always')).rejects.toMatchObject({
      code: 'DEFER_REFUSED',
      message: expect.stringContaining('others are using it'),
    })
    expect(await query(fixture.target.url, catalog)).toHaveLength(3)
  })

  it('a table that does not fit the model keeps them', async () => {
    await using fixture = await Fixture.open('postgres')
    await fixture.target.execute('CREATE TABLE numbers (id bigint PRIMARY KEY, note text NOT NULL)')
    const path = await fixture.file(10)
    await expect(loadInto(fixture, keyedNumbers, [path], 'always')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    })
    expect(await query(fixture.target.url, catalog)).toHaveLength(1)
  })

  it('a row that no index takes is a reject in the end, as without that', async () => {
    const outcomes = []
    for (const when of ['always', 'never'] as const) {
      await using fixture = await Fixture.open('postgres')
      const path = join(fixture.folder, 'long.csv')
      const long = Array.from({ length: 3_000 }, (_, n) => String((n * 7919) % 10_007)).join('')
      await writeFile(path, `id,note\n1,short\n2,${long}\n3,short\n`)
      const { rows, receipts, rejects } = await loadInto(fixture, keyedNumbers, [path], when)
      outcomes.push({ rows, receipts, codes: rejects.map(({ record, code }) => [record, code]) })
    }
    expect(outcomes[0]?.rows).toHaveLength(2)
    expect(outcomes[0]).toEqual(outcomes[1])
  })

  it.for([
    ['the key', 'CREATE UNIQUE INDEX'],
    ['the others beside it', 'CREATE INDEX'],
    ['what comes last', 'USING INDEX'],
  ])(
    'are all there in the end, whichever session is killed: the one that makes %s',
    async ([, statement]) => {
      await using fixture = await Fixture.open('postgres')
      await using sink = await openSink(fixture.target.url)
      await sink.prepare(keyedNumbers, { deferIndexes: 'begin' })
      await fixture.target
        .execute(`SET lading.session = 'ours'; INSERT INTO numbers SELECT n, 'note ' || n FROM generate_series(1, 100) n;
      CREATE SEQUENCE kills;
      CREATE FUNCTION kill_once() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() NOT LIKE '%${statement}%' THEN RETURN; END IF;
        IF nextval('public.kills') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
      END $$;
      CREATE EVENT TRIGGER kill_once ON ddl_command_end EXECUTE FUNCTION kill_once()`)
      const built = await sink.buildIndexes?.(keyedNumbers).catch((error: LadingError) => error.code)
      expect(built).toBe(statement === 'CREATE INDEX' ? 'built' : 'SINK_UNAVAILABLE')
      if (built !== 'built') expect(await sink.missingIndexes?.()).toMatchObject([{ table: 'numbers' }])
      await using next = await openSink(fixture.target.url)
      expect(await next.prepare(keyedNumbers)).toMatchObject({ deferred: false })
      expect(await query(fixture.target.url, catalog)).toMatchObject([
        { name: 'numbers_note_idx' },
        { name: 'numbers_note_idx1' },
        { name: 'numbers_pkey', conname: 'numbers_pkey', rule: 'PRIMARY KEY (id)' },
      ])
      expect(await sink.missingIndexes?.()).toEqual([])
    },
  )

  it.for([
    ['in its order', 'n', 5, 2_000, '0'],
    ['in another', '-n', 5, 2_000, '2'],
    ['in its order, and more than fit into memory', 'n', 1_500, 35_000, '2'],
  ] as const)(
    'workers build the key unless the rows came in its order and fit into memory: %s',
    async ([, id, bytes, rows, workers]) => {
      await using fixture = await Fixture.open('postgres')
      const model: Model = { ...keyedNumbers, indexes: [brin('id')], fingerprint: 'brin' }
      await using sink = await openSink(fixture.target.url)
      await sink.prepare(model, { deferIndexes: 'begin' })
      await fixture.target
        .execute(`SET lading.session = 'ours'; INSERT INTO numbers SELECT ${id}, n || repeat('x', ${bytes}) FROM generate_series(1, ${rows}) n;
      CREATE TABLE seen (workers text); CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() LIKE 'CREATE UNIQUE INDEX%' THEN INSERT INTO public.seen VALUES (current_setting('max_parallel_maintenance_workers')); END IF;
      END $$;
      CREATE EVENT TRIGGER see ON ddl_command_start EXECUTE FUNCTION see()`)
      expect(await sink.buildIndexes?.(model)).toBe('built')
      expect(await query(fixture.target.url, 'SELECT workers FROM seen')).toEqual([{ workers }])
    },
  )

  it('what another load has updated by a key that is built is never destroyed', async () => {
    await using fixture = await Fixture.open('postgres')
    const path = join(fixture.folder, 'long.csv')
    const long = Array.from({ length: 3_000 }, (_, n) => String((n * 7919) % 10_007)).join('')
    await writeFile(path, `id,note\n1,short\n2,${long}\n`)
    const sink = await fixture.sink()
    const buildIndexes: Sink['buildIndexes'] = async (...args) => {
      const built = (await sink.buildIndexes?.(...args)) ?? 'nothing'
      await fixture.target.execute(
        "SET lading.session = 'ours'; UPDATE numbers SET note = 'of others' WHERE id = 1",
      )
      return built
    }
    const startOver: Sink['startOver'] = (...args) => sink.startOver?.(...args) as Promise<void>
    const options = fixture.producing(await fixture.queue(), [path], { model: keyedNumbers })
    const meddled = wrapSink(sink, (_, real) => real(), { buildIndexes, startOver })
    await expect(load({ ...options, sink: meddled, deferIndexes: 'always' })).rejects.toMatchObject({
      code: 'INDEXES_BLOCKED',
    })
    expect(await query(fixture.target.url, "SELECT FROM numbers WHERE note = 'of others'")).toHaveLength(1)
  })

  it.for(['gone', 'changed', 'standard input'] as const)(
    'what cannot be loaded again is not taken out of the table: %s',
    async (how) => {
      await using fixture = await Fixture.open('postgres')
      const path = join(fixture.folder, 'doubles.csv')
      await writeFile(path, 'id,note\n1,one\n1,another\n2,two\n')
      if (how === 'standard input') {
        await expect(loadInto(fixture, keyedNumbers, ['-'], 'always')).rejects.toMatchObject({
          code: 'DEFER_REFUSED',
        })
        return
      }
      const loading = loadInto(fixture, keyedNumbers, [path], 'always', (event) => {
        if (event.type !== 'indexes' || event.state !== 'building') return
        if (how === 'gone') rmSync(path)
        else writeFileSync(path, 'id,note\n9,other\n')
      })
      await expect(loading).rejects.toMatchObject({
        code: how === 'gone' ? 'SOURCE_MISSING' : 'INDEXES_BLOCKED',
      })
      expect(await query(fixture.target.url, 'SELECT FROM numbers')).toHaveLength(3)
      expect(await (await fixture.sink()).ledger.receipts({})).toMatchObject([{ loaded: 3 }])
    },
  )

  it('a load that fails before its end leaves a table with its indexes', async () => {
    await using fixture = await Fixture.open('postgres')
    const good = await fixture.file(10)
    const bad = join(fixture.folder, 'x.csv')
    await writeFile(bad, 'id,note\n1,"a\n')
    await expect(loadInto(fixture, keyedNumbers, [good, bad], 'always')).rejects.toMatchObject({
      code: 'UNCLOSED_QUOTE',
    })
    expect(await query(fixture.target.url, catalog)).toHaveLength(3)
  })

  it('that cannot be built after a load has failed do not hide why it has', async () => {
    await using fixture = await Fixture.open('postgres')
    const bad = join(fixture.folder, 'x.csv')
    await writeFile(bad, 'id,note\n1,"a\n')
    const sink = await fixture.sink()
    const buildIndexes = vi.fn<() => Promise<Built>>(() =>
      Promise.reject(new LadingError('SINK_UNAVAILABLE', 'PostgreSQL: the connection was lost')),
    )
    const failing = wrapSink(sink, untouched, { buildIndexes })
    const options = fixture.producing(await fixture.queue(), [bad], { model: keyedNumbers })
    await expect(load({ ...options, sink: failing, deferIndexes: 'always' })).rejects.toMatchObject({
      code: 'UNCLOSED_QUOTE',
    })
    expect(buildIndexes).toHaveBeenCalledOnce()
  })

  it('rows of others that share a key with ours are not touched, and it is said', async () => {
    await using fixture = await Fixture.open('postgres')
    const path = await fixture.file(100)
    const onEvent = (event: LadingEvent) => {
      // The load goes on when the row is there: its indexes are built a moment later.
      if (event.type === 'published')
        executeAtOnce(fixture.target.url, "INSERT INTO numbers VALUES (5, 'of others')")
    }
    const loading = loadInto(fixture, keyedNumbers, [path], 'always', onEvent)
    await expect(loading).rejects.toMatchObject({
      code: 'INDEXES_BLOCKED',
      message: expect.stringContaining('of its 101 rows, 100 came'),
    })
    expect(await query(fixture.target.url, 'SELECT FROM numbers')).toHaveLength(101)
    await expect((await fixture.sink()).prepare(keyedNumbers)).rejects.toMatchObject({
      code: 'INDEXES_BLOCKED',
    })
    await fixture.target.execute("DELETE FROM numbers WHERE note = 'of others'")
    expect((await loadInto(fixture, keyedNumbers, [path], 'auto')).indexes).toHaveLength(3)
    await fixture.expectAllOnce()
  })

  const others = {
    'an UPDATE': "UPDATE numbers SET note = 'of others' WHERE id = 2",
    'an UPDATE that triggers do not fire for':
      "SET session_replication_role = replica; UPDATE numbers SET note = 'of others' WHERE id = 2",
    'a DELETE and an INSERT': "DELETE FROM numbers WHERE id = 2; INSERT INTO numbers VALUES (2, 'of others')",
    'an UPDATE of a role that may not see the ledger':
      "CREATE ROLE other_program; GRANT SELECT, UPDATE ON numbers TO other_program; SET ROLE other_program; UPDATE numbers SET note = 'of others' WHERE id = 2; RESET ROLE; DROP OWNED BY other_program; DROP ROLE other_program",
    'a table whose triggers were off':
      'ALTER TABLE numbers DISABLE TRIGGER ALL; UPDATE numbers SET note = $$of others$$ WHERE id = 2; ALTER TABLE numbers ENABLE TRIGGER ALL',
    'a parent whose rows it became':
      'CREATE TABLE parent (LIKE numbers); ALTER TABLE numbers INHERIT parent; UPDATE parent SET note = $$of others$$ WHERE id = 2',
  }
  it.for(Object.entries(others))(
    'what another program has committed is never destroyed: %s',
    async ([, sql]) => {
      await using fixture = await Fixture.open('postgres')
      const path = join(fixture.folder, 'doubles.csv')
      await writeFile(path, 'id,note\n1,one\n1,another\n2,two\n')
      const sink = await fixture.sink()
      const buildIndexes: Sink['buildIndexes'] = async (...args) => {
        await fixture.target.execute(sql)
        return (await sink.buildIndexes?.(...args)) ?? 'nothing'
      }
      const startOver: Sink['startOver'] = (...args) => sink.startOver?.(...args) as Promise<void>
      const meddled = wrapSink(sink, (_, real) => real(), { buildIndexes, startOver })
      const queue = await fixture.queue()
      const options = fixture.producing(queue, [path], { model: keyedNumbers })
      await expect(load({ ...options, sink: meddled, deferIndexes: 'always' })).rejects.toMatchObject({
        code: 'INDEXES_BLOCKED',
      })
      expect(await query(fixture.target.url, "SELECT FROM numbers WHERE note LIKE 'of%'")).toHaveLength(1)
    },
  )

  it('starting over whose answer was lost is not done twice, and the load goes on', async () => {
    await using fixture = await Fixture.open('postgres')
    const path = join(fixture.folder, 'doubles.csv')
    await writeFile(path, 'id,note\n1,one\n1,another\n2,two\n')
    const sink = await fixture.sink()
    let times = 0
    const startOver: Sink['startOver'] = async (...args) => {
      await sink.startOver?.(...args)
      if (++times === 1)
        throw new LadingError('SINK_UNAVAILABLE', 'PostgreSQL: the answer to COMMIT was lost')
    }
    const buildIndexes: Sink['buildIndexes'] = (...args) => sink.buildIndexes?.(...args) as Promise<Built>
    const forgetful = wrapSink(sink, (_, real) => real(), { buildIndexes, startOver })
    const options = fixture.producing(await fixture.queue(), [path], { model: keyedNumbers })
    const { receipts } = await load({ ...options, sink: forgetful, deferIndexes: 'always' })
    expect(receipts).toMatchObject([{ loaded: 2, rejected: 1 }])
    expect(times).toBe(2)
    expect(await query(fixture.target.url, 'SELECT FROM numbers')).toHaveLength(2)
  })

  it('other programs that write meanwhile wait for nobody, and where no row is refused nothing is left of the watch', async () => {
    await using fixture = await Fixture.open('postgres')
    await using sink = await openSink(fixture.target.url)
    await sink.prepare(keyedNumbers, { deferIndexes: 'begin' })
    const sessions = [new pg.Client(fixture.target.url), new pg.Client(fixture.target.url)]
    for (const [id, session] of sessions.entries()) {
      await session.connect()
      await session.query(`BEGIN; INSERT INTO numbers VALUES (${id}, 'of others')`)
    }
    for (const session of sessions) await session.query('COMMIT')
    for (const session of sessions) await session.end()
    expect(await sink.buildIndexes?.(keyedNumbers)).toBe('built')
    const left =
      "SELECT FROM pg_trigger WHERE tgrelid = 'numbers'::regclass UNION ALL SELECT FROM lading.foreign_write"
    expect(await query(fixture.target.url, left)).toEqual([])
  })

  it('verify and status say that a table lacks the indexes that a load left for its end, and end with 1', async () => {
    await using fixture = await Fixture.open('postgres')
    const path = join(fixture.folder, 'doubles.csv')
    await writeFile(path, 'id,note\n1,one\n1,another\n2,two\n')
    const loading = loadInto(fixture, keyedNumbers, [path], 'always', (event) => {
      if (event.type === 'indexes' && event.state === 'building') writeFileSync(path, 'id,note\n9,other\n')
    })
    await expect(loading).rejects.toMatchObject({ code: 'INDEXES_BLOCKED' })
    const tell = async (command: string, ...more: string[]) => {
      const told = startLading(command, '--to', fixture.target.url, '--queue', fixture.queueUrl, ...more)
      return { exit: await told.ended, output: told.output() }
    }
    // The session of the load is open still, but at work it is not.
    for (const command of ['verify', 'status']) {
      const { exit, output } = await tell(command)
      expect(exit, output).toBe(1)
      expect(output).toContain('table numbers LACKS 3 indexes')
      expect(output).not.toContain('adds up')
    }
    // Programs read the receipts; why the command ends with 1 is said beside them.
    expect(await tell('verify', '--json')).toMatchObject({
      exit: 1,
      output: expect.stringContaining('table numbers LACKS 3 indexes'),
    })
    await fixture.target.execute('DELETE FROM numbers WHERE id = 1')
    await (await fixture.sink()).prepare(keyedNumbers)
    expect(await tell('verify')).toMatchObject({ exit: 0 })
  })

  it('the same command again goes on or has nothing to do, with the indexes left for the end on purpose too', async () => {
    await using fixture = await Fixture.open('postgres')
    const path = await fixture.file(200)
    const states: string[] = []
    const again = (start?: LoadOptions['start']) => async () => {
      await using queue = await openQueue(fixture.queueUrl)
      await using sink = await openSink(fixture.target.url)
      const onEvent = (event: LadingEvent) => void (event.type === 'indexes' && states.push(event.state))
      const options = fixture.producing(queue, [path], { model: keyedNumbers, chunkBytes: 100, onEvent })
      return await load({
        ...options,
        sink,
        deferIndexes: 'always',
        ...(start === undefined ? {} : { start }),
      })
    }
    const losing = again(({ signal }) => {
      const consuming = async () => {
        await using queue = await openQueue(fixture.queueUrl)
        await using sink = await openSink(fixture.target.url)
        await createConsumer({
          queue,
          sink,
          model: keyedNumbers,
          besideLoad: true,
          batch: { messages: 1 },
        }).run({ signal, batches: 2 })
        throw new LadingError('CONSUMER_LOST', 'killed by the test')
      }
      return { ended: consuming(), stop: () => undefined, finish: () => undefined }
    })
    await expect(losing()).rejects.toMatchObject({ code: 'CONSUMER_LOST' })
    expect(await query(fixture.target.url, catalog)).toHaveLength(3)
    await again()()
    await fixture.expectAllOnce()
    expect((await again()()).loadedNow).toBe(0)
    expect(states).toEqual(['deferred', 'building', 'built', 'kept', 'kept'])
    const other = await fixture.file(10)
    await expect(loadInto(fixture, keyedNumbers, [other], 'always')).rejects.toMatchObject({
      code: 'DEFER_REFUSED',
    })
  })

  it(
    'a load that is killed again and again ends with every row once and every index',
    { timeout: 120_000 },
    async () => {
      await using fixture = await Fixture.open('postgres')
      const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
      const random = randomFrom(seed)
      const paths = await Promise.all([fixture.file(60_000), fixture.file(60_000)])
      const state = ['--queue', `${fixture.queueUrl}?lease=1`, '--state', join(fixture.folder, 'producer.db')]
      const model = join(import.meta.dirname, 'keyed-numbers.ts')
      const args = [
        'load',
        ...paths,
        '--model',
        model,
        '--to',
        fixture.target.url,
        '--chunk-bytes',
        '20000',
        '--batch-messages',
        '3',
        ...state,
      ]
      let deferred = 0
      for (let kill = 0; kill < 8; kill++) {
        const lading = startLading(
          ...args,
          '--defer-indexes',
          kill === 0 ? 'always' : 'auto',
          '--consumers',
          kill % 3 === 2 ? '2' : '1',
        )
        const over = lading.ended.then(() => true)
        while (!lading.output().includes('indexes of numbers') && !(await Promise.race([over, sleep(5)])));
        // Later and later: the first ones find little done, the last ones may find the indexes being built.
        await Promise.race([over, sleep(random() * 220 * (kill + 1))])
        lading.child.kill('SIGKILL')
        await lading.ended
        deferred += (await query(fixture.target.url, 'SELECT FROM lading.deferred')).length
      }
      expect(deferred, `no kill found the indexes away (seed ${seed})`).toBeGreaterThan(0)
      const last = startLading(...args)
      expect(await last.ended, last.output()).toBe(0)
      expect(await query(fixture.target.url, catalog)).toHaveLength(3)
      await fixture.expectAllOnce()
    },
  )
})
