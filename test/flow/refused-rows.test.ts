/**
 * A row that is refused alone is a reject, whatever the database calls the error, and however the row
 * travels.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { replayRejects } from '../../src/review/rejects.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { custom, text } from '../../src/model/columns.ts'
import type { ConflictPolicy } from '../../src/model/model.ts'
import { produce } from '../../src/producer/produce.ts'
import { Folder, library } from '../cli/run.ts'
import { query, serverTarget, Fixture } from '../support/fixture.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { type PostgresServer, startPostgres } from '../../tooling/servers/postgres.ts'
import { badNumber, type Case, expectOneReject, fileOf, itemsOf, producing, records } from './refused-rows.ts'

const codeOf: Readonly<Record<string, string>> = { '22023': 'VALUE_REFUSED', '23514': 'CONSTRAINT_CHECK' }
const raised = ['XX000', 'P0001', '22023', '23514', '42501', '42601', '42P01']
const rare = ['0A000', '28000', '3D000', '3F000', '55000', '25001', '40002']
const casesOf = (sqlstates: readonly string[]): Case[] =>
  sqlstates.map((bad) => ({ name: bad, good: 'x', bad, code: codeOf[bad] ?? 'TRIGGER_RAISED' }))

/** Raises what stands in the note, where that is an SQLSTATE. */
const raise =
  "IF new.note ~ '^[0-9A-Z]{5}$' THEN RAISE EXCEPTION 'refused by the test' USING ERRCODE = new.note; END IF; RETURN new;"

const triggers = (trigger: string) => (type: string) =>
  `CREATE TABLE items (id integer PRIMARY KEY, note ${type});
   CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise} END $$; ${trigger}`

const rules = {
  'a CHECK function': (type: string) =>
    `CREATE FUNCTION passes(new record) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN ${raise.replace('RETURN new', 'RETURN true')} END $$;
     CREATE TABLE items (id integer PRIMARY KEY, note ${type}, CHECK (passes(items)))`,
  'a row trigger': triggers(
    'CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse()',
  ),
  'a deferred constraint trigger': triggers(
    `CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`,
  ),
}

const deferredAgain = `CREATE FUNCTION defer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN new; END $$;
  CREATE TRIGGER defer BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION defer()`

const ways = {
  'COPY BINARY': { note: text(), onConflict: 'error' },
  'COPY TEXT': { note: custom('text'), onConflict: 'error' },
  'a staging table that skips': { note: text(), onConflict: 'skip' },
  'a staging table that updates': { note: custom('text'), onConflict: 'update' },
} as const

/** Each way meets a rule that raises as rows come in, and the deferred one. The two rules of the first kind share the ways. */
const waysOf = (rule: string) =>
  Object.entries(ways).filter(
    (_, at) => rule === 'a deferred constraint trigger' || (at % 2 === 0) === (rule === 'a CHECK function'),
  )

const types: readonly (readonly [type: string, good: string, bad: string])[] = [
  ['tsquery', 'a & b', 'a &'],
  ['jsonpath', '$.a', '$.['],
  ['regclass', 'pg_class', 'nowhere'],
  ['inet', '10.0.0.1', '1.2.3'],
]

const extended: typeof types = [
  ['hstore', 'a=>1', 'a=>'],
  ['ltree', 'a.b', 'bad path!'],
]

/** Loads one bad value of each type. */
async function refuseTypes(fixture: Fixture, some: typeof types): Promise<void> {
  for (const [type, good, bad] of some) {
    for (const onConflict of ['error', 'update'] as const) {
      await fixture.target.execute(
        `DROP TABLE IF EXISTS items; CREATE TABLE items (id integer PRIMARY KEY, note ${type}); ${taken(onConflict)}`,
      )
      const name = `${type} ${onConflict}`
      await expectOneReject(fixture, itemsOf(custom(type), onConflict), [
        { name, good, bad, code: 'VALUE_REFUSED', column: 'note' },
      ])
    }
  }
}

/**
 * A key that is there already sends rows through the staging table, where the policy is to skip or to update.
 */
const taken = (onConflict: ConflictPolicy): string =>
  onConflict === 'error'
    ? ''
    : `INSERT INTO items SELECT 1 + ${records} * file FROM generate_series(0, 6) file`

describePostgres(
  'one row of 2,000 that PostgreSQL refuses is a reject with its line and column, and costs no other',
  () => {
    for (const [rule, sql] of Object.entries(rules)) {
      it.for(waysOf(rule))(`by the SQLSTATEs of ${rule}: %s`, async ([, { note, onConflict }]) => {
        await using fixture = await Fixture.open('postgres')
        await fixture.target.execute(`${sql('text')}; ${taken(onConflict)}`)
        await expectOneReject(
          fixture,
          itemsOf(note, onConflict),
          casesOf(raised),
          onConflict === 'skip' ? 1 : 0,
        )
      })
    }

    it.for(['COPY BINARY', 'a staging table that updates'] as const)(
      'at COMMIT, because a trigger defers the check again: %s',
      async (way) => {
        const { note, onConflict } = ways[way]
        await using fixture = await Fixture.open('postgres')
        await fixture.target.execute(
          `${rules['a deferred constraint trigger']('text')}; ${deferredAgain}; ${taken(onConflict)}`,
        )
        await expectOneReject(fixture, itemsOf(note, onConflict), casesOf(['XX000', '23514', '42P01']))
      },
    )

    it('by SQLSTATEs that mostly are the fault of the schema, the rights or the session', async () => {
      await using fixture = await Fixture.open('postgres')
      await fixture.target.execute(rules['a row trigger']('text'))
      await expectOneReject(fixture, itemsOf(), casesOf(rare))
    })

    it('by a type', async () => {
      await using fixture = await Fixture.open('postgres')
      await refuseTypes(fixture, types)
    })

    it.for(['error', 'skip'] as const)(
      'by a value that COPY BINARY names the column of, onConflict %s',
      async (onConflict) => {
        await using fixture = await Fixture.open('postgres')
        await fixture.target.execute(`CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN IF $1 = 'bad' THEN RAISE 'not fine' USING ERRCODE = '42501'; END IF; RETURN true; END $$;
      CREATE DOMAIN fine_text AS text CHECK (fine(value)); CREATE TABLE items (id integer PRIMARY KEY, note fine_text)`)
        const named = { code: 'VALUE_REFUSED', column: 'note' }
        await expectOneReject(fixture, itemsOf(text(), onConflict), [
          { name: 'domain', good: 'x', bad: 'bad', ...named },
        ])
      },
    )

    it('and stays one when it is replayed, until the table takes it', async () => {
      await using fixture = await Fixture.open('postgres')
      await fixture.target.execute(rules['a row trigger']('text'))
      const model = itemsOf()
      await expectOneReject(fixture, model, casesOf(['42P01', 'XX000', '42501']))
      const sink = await fixture.sink()
      const [first, second, third] = await sink.ledger.rejects({ limit: 10 })
      await sink.ledger.editReject(third?.id ?? 0, Buffer.from('9999;mended'), [])
      const edited = await sink.ledger.rejects({ limit: 10 })
      const again = { kind: 'refused', code: 'TRIGGER_RAISED' }
      expect(await replayRejects(edited, { sink, model })).toMatchObject([
        again,
        again,
        { kind: 'applied', loaded: 1 },
      ])
      const open = await sink.ledger.rejects({ limit: 10 })
      expect(open).toMatchObject(
        [first, second].map((each) => ({ id: each?.id, line: badNumber + 1, state: 'open' })),
      )
      await fixture.target.execute('DROP TRIGGER refuse ON items')
      expect(await replayRejects(open, { sink, model })).toMatchObject([{ loaded: 1 }, { loaded: 1 }])
    })

    it('when a dead letter is replayed, too', async () => {
      await using fixture = await Fixture.open('postgres')
      const model = itemsOf(custom('regclass'))
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      const path = await fileOf(fixture, { name: 'dead', good: 'pg_class', bad: 'nowhere' })
      const [produced] = await produce(producing(fixture, queue, [path], model))
      const setAside = [`${produced?.loadId}/0`]
      expect(await createConsumer({ queue, sink, model, setAside }).run({ untilEmpty: true })).toMatchObject({
        deadMessages: 1,
        loaded: 0,
      })
      const [letter] = await sink.ledger.deadLetters({ limit: 1 })
      expect(letter).toMatchObject({ code: 'SET_ASIDE', records })
      if (letter)
        expect(await replay(letter, { sink, model })).toMatchObject({ loaded: records - 1, rejected: 1 })
      expect(await sink.ledger.rejects({ limit: 10 })).toMatchObject([
        { code: 'VALUE_REFUSED', line: badNumber + 1, column: 'note' },
      ])
    })
  },
)

describe('with the extensions of the system', () => {
  let server: PostgresServer | undefined
  let reason = ''
  beforeAll(async () => {
    try {
      server = await startPostgres({ extensions: true })
      await query(server.url, 'CREATE EXTENSION hstore; CREATE EXTENSION ltree')
    } catch (error) {
      if (process.env['CI'] || !(error instanceof Unavailable)) throw error
      reason = error.message
    }
  }, 180_000)
  afterAll(async () => server?.stop())

  it('a type of an extension refuses one row of 2,000, whatever it raises', async ({ skip }) => {
    if (server === undefined) return skip(reason)
    await using fixture = await Fixture.open(serverTarget(server.url))
    await refuseTypes(fixture, [...types, ...extended])
  })

  it('the command loads the good rows, names the line of the other, exits with 3, and loads the mended file', async ({
    skip,
  }) => {
    if (server === undefined) return skip(reason)
    await query(server.url, 'DROP TABLE IF EXISTS items; DROP SCHEMA IF EXISTS lading CASCADE')
    const module = `import { custom, defineModel, integer } from '${library}'
      export default defineModel({ table: 'items', columns: { id: integer().notNull(), v: custom('hstore') }, primaryKey: ['id'], onConflict: 'skip' })`
    await using folder = await Folder.make({
      'model.ts': module,
      'a.csv': 'id;v\n1;a=>1\n2;a=>\n3;a=>1\n',
      'mended.csv': 'id;v\n2;a=>2\n',
    })
    const options = ['--model', './model.ts', '--to', server.url, '--delimiter', ';']
    const run = await folder.lading('load', 'a.csv', ...options)
    expect(run.code, run.err).toBe(3)
    const rejects = await folder.json('rejects', 'list', '--to', server.url)
    expect(rejects).toMatchObject([{ line: 3, column: 'v', code: 'VALUE_REFUSED' }])
    expect((await folder.lading('load', 'mended.csv', ...options)).code).toBe(0)
    expect(await query(server.url, 'SELECT id, v::text FROM items ORDER BY id')).toEqual(
      [1, 2, 3].map((id) => ({ id, v: `"a"=>"${id === 2 ? 2 : 1}"` })),
    )
  })
})

it('one row of 2,000 that SQLite refuses is a reject with its line, and costs no other', async () => {
  const raising = (how: string) =>
    `; CREATE TRIGGER t AFTER INSERT ON items WHEN new.note = '[' BEGIN SELECT RAISE(${how}, 'no'); END`
  const each = {
    'a CHECK': '',
    ABORT: raising('ABORT'),
    FAIL: raising('FAIL'),
    ROLLBACK: raising('ROLLBACK'),
  }
  for (const onConflict of ['error', 'update'] as const) {
    for (const [name, trigger] of Object.entries(each)) {
      await using fixture = await Fixture.open()
      const check = trigger === '' ? " CHECK (json_extract(note, '$[0]') > 0)" : ''
      await fixture.target.execute(
        `CREATE TABLE items (id integer PRIMARY KEY, note text${check}) STRICT${trigger}`,
      )
      await expectOneReject(fixture, itemsOf(text(), onConflict), [
        { name, good: '[1]', bad: '[', code: 'TRIGGER_RAISED' },
      ])
    }
  }
})
