/**
 * Files go into tables that exist without a model: whatever types the table has, every value is what the
 * database's own COPY makes of the file, and what the database refuses is one reject.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { expect, it, vi } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { tableNamed } from '../../src/cli/settings/options.ts'
import { shownTable } from '../../src/model/table.ts'
import { openSink } from '../../src/sink/registry.ts'
import { expectError, Folder } from '../cli/run.ts'

interface Database extends AsyncDisposable {
  readonly url: string
  readonly client: pg.Client
}

async function openDatabase(sql: string): Promise<Database> {
  const database = await freshDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(sql)
  return {
    url: database.url,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end()
      await database.drop()
    },
  }
}

/** What psql's \copy does with the file. */
const copy = (client: pg.Client, table: string, csv: string): Promise<void> =>
  pipeline(Readable.from([csv]), client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT csv, HEADER)`)))

const setUp = `
  CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION citext; CREATE SCHEMA "My Shop";
  CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE "My Shop"."Size (cm)" AS ENUM ('S', 'L');
  CREATE DOMAIN short AS text CHECK (length(value) < 5); CREATE DOMAIN shorter AS short CHECK (length(value) < 3);
  CREATE DOMAIN age AS smallint CHECK (value > 0); CREATE DOMAIN mooded AS mood;
  CREATE TYPE pair AS (a int, b text); CREATE TYPE floats AS RANGE (subtype = float8);`

/** Type, a value that it takes, and one that it refuses; the code where Lading itself refuses it. */
const types: readonly (readonly [type: string, good: string, bad: string, code?: string])[] = [
  ['smallint', '-32768', '32768'],
  ['integer', '7', 'x', 'BAD_INTEGER'],
  ['bigint', '9223372036854775807', '9223372036854775808', 'OUT_OF_RANGE'],
  ['real', '0.1', 'x'],
  ['double precision', '0.1', 'x', 'BAD_NUMBER'],
  ['numeric', '1.50', 'x', 'BAD_NUMBER'],
  ['numeric(6, 2)', '1.50', '1.505', 'PRECISION_LOST'],
  ['numeric(3, -2)', '12300', 'x'],
  ['numeric(2, 4)', '0.0012', 'x'],
  ['money', '$1,234.50', 'x'],
  ['money', '-5.5', '5,00', 'BAD_NUMBER'],
  ['money', '1,00,000', '1.234', 'BAD_NUMBER'],
  ['boolean', 'yes', 'x', 'BAD_BOOLEAN'],
  ['text', 'a, "b"', ''],
  ['varchar(3)', 'abc', 'abcd', 'TOO_LONG'],
  ['char(3)', 'ab', 'abcd'],
  ['"char"', 'a', ''],
  ['name', 'a', ''],
  ['citext', 'aB', ''],
  ['bytea', '\\xdeadbeef', '\\xzz', 'BAD_BYTES'],
  ['bit(4)', '1010', '101'],
  ['bit varying(4)', '10', '10101'],
  ['date', '2024-02-29', '2023-02-29', 'BAD_DATE'],
  ['time', '9:30:00.5', '25:00', 'BAD_TIME'],
  ['time(0) with time zone', '12:30:00+02', 'x'],
  ['timestamp', '2024-01-01 12:00', 'x', 'BAD_TIMESTAMP'],
  ['timestamp(3)', '2024-01-01 12:00:00.125', '03/04/2024 12:00', 'BAD_TIMESTAMP'],
  ['timestamp(0)', '2024-01-01', 'now', 'BAD_TIMESTAMP'],
  ['timestamp(0)', '2024-01-01T12:00', '2024-01-01 12:00+02', 'ZONE_NOT_ALLOWED'],
  ['timestamp(0) with time zone', '2024-01-01 12:00+02', '2024-01-01 12:00', 'ZONE_MISSING'],
  ['time(0)', '12:30', 'now', 'BAD_TIME'],
  ['timestamptz', '2024-01-01T12:00:00Z', 'x', 'BAD_TIMESTAMP'],
  ['interval', '1 day 02:00', 'x'],
  ['interval day to second(3)', '1 02:00:00.125', 'x'],
  ['uuid', '00000000-0000-0000-0000-0000000000ff', 'x', 'BAD_UUID'],
  ['json', '{"a": 1.0}', '{', 'BAD_JSON'],
  ['jsonb', '{"a": 1.0}', '{'],
  ['xml', '<a>b</a>', '<a>'],
  ['inet', '10.0.0.1/8', '10.0.0'],
  ['cidr', '10.0.0.0/8', '10.0.0.1/8'],
  ['macaddr', '08:00:2b:01:02:03', 'x'],
  ['point', '(1,2)', '(1'],
  ['line', '{1,2,3}', 'x'],
  ['lseg', '[(1,2),(3,4)]', 'x'],
  ['box', '(3,4),(1,2)', 'x'],
  ['path', '[(1,2),(3,4)]', 'x'],
  ['polygon', '((1,2),(3,4))', 'x'],
  ['circle', '<(1,2),3>', 'x'],
  ['integer[]', '{1,2,NULL}', '{1,', 'BAD_ARRAY'],
  ['text[]', '{a,"b c",NULL}', 'a', 'BAD_ARRAY'],
  ['box[]', '{(3,4),(1,2);(7,8),(5,6)}', 'x'],
  ['varchar(2)[]', '[0:1]={a,b}', '{abc}'],
  ['date[]', '{2024-02-29,NULL}', '{2024-02-29,03/04/2024}', 'BAD_DATE'],
  ['timestamp(3)[]', '{"2024-02-29 12:00"}', '{today}', 'BAD_TIMESTAMP'],
  ['daterange', '[2024-02-28,2024-02-29)', '[03/04/2024,)', 'BAD_DATE'],
  ['tstzrange', '["2024-02-28 10:00+02",)', '[2024-02-28,today)', 'BAD_TIMESTAMP'],
  ['datemultirange', '{[2024-02-28,2024-02-29)}', '{[01.02.24,]}', 'BAD_DATE'],
  ['int4range', '[1,5)', '[5,1)'],
  ['floats', '[1.5,2.5]', 'x'],
  ['int4multirange', '{[1,3),[5,7)}', 'x'],
  ['tsvector', "'a':1", "'"],
  ['pg_lsn', '16/B374D848', 'x'],
  ['mood', 'ok', 'happy'],
  ['mood[]', '{ok,sad}', '{happy}'],
  ['"My Shop"."Size (cm)"', 'L', 'M'],
  ['short', 'abcd', 'abcde', 'CONSTRAINT_CHECK'],
  ['shorter', 'ab', 'abc', 'CONSTRAINT_CHECK'],
  ['age', '1', '0', 'CONSTRAINT_CHECK'],
  ['mooded', 'ok', 'happy'],
  ['pair', '(1,"a b")', '(1'],
  ['hstore', '"a"=>"1"', '"a"=>'],
  ['ltree', 'a.b.c', 'a..b'],
]

const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
const columns = types.map(([type], n) => ({ name: `c${n}`, type }))
const definition = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
/** Types without a text that they refuse have none in the file. */
const refusing = types.flatMap(([, , bad, code = 'VALUE_REFUSED'], n) =>
  bad === '' ? [] : [{ n, bad, code }],
)

/** Kills the load in the middle, and runs the same command until nothing is left to do. */
async function killAndResume(more: readonly string[]): Promise<void> {
  await using database = await openDatabase('CREATE TABLE items (id int PRIMARY KEY, "Note" text)')
  const rows = 8_000
  const lines = Array.from({ length: rows }, (_row, id) => `${id},note ${id}\n`).join('')
  await using folder = await Folder.make({ 'items.csv': `ID;note\n${lines.replaceAll(',', ';')}` })
  const command = [
    'load',
    'items.csv',
    '--to',
    database.url,
    '--chunk-bytes',
    '3000',
    '--batch-messages',
    '3',
    '--consumers',
    '2',
    '--on-conflict',
    'skip',
    ...more,
  ]
  await folder.lading('verify', '--to', database.url)
  // The load is held in the middle, whatever it has loaded by then.
  await database.client.query(`
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT count(*) FROM lading.ledger) > 9 THEN PERFORM pg_advisory_xact_lock(7); END IF; RETURN NULL; END $$;
    CREATE TRIGGER hold AFTER INSERT ON lading.ledger FOR EACH STATEMENT EXECUTE FUNCTION hold(); SELECT pg_advisory_lock(7)`)
  const first = folder.start(command, {}, true)
  const ended = new Promise((resolve) => first.once('close', resolve))
  const begun = 'SELECT count(*) > 0 AS begun FROM lading.ledger'
  await vi.waitFor(async () => expect((await database.client.query(begun)).rows).toEqual([{ begun: true }]), {
    timeout: 30_000,
  })
  process.kill(-(first.pid as number), 'SIGKILL')
  await ended
  await database.client.query('SELECT pg_advisory_unlock(7); DROP TRIGGER hold ON lading.ledger')
  const run = await folder.lading(...command)
  expect([run.code, run.err], run.out).toEqual([0, expect.stringMatching(/^.*resuming items.csv/m)])
  const stored = await database.client.query(
    'SELECT count(*)::int AS n, count(DISTINCT "Note")::int AS notes FROM items',
  )
  expect(stored.rows).toEqual([{ n: rows, notes: rows }])
  const again = await folder.lading(...command)
  expect(again.out).toContain('this run loaded 0 records; 1 of 1 file had been loaded before')
  expect((await folder.lading('verify', '--to', database.url)).out).toContain(
    'every load is complete and adds up',
  )
}

describePostgres('a file into a table that exists, without a model', () => {
  it('takes every type of PostgreSQL in its text form as COPY does, and refuses one record for each bad value', async () => {
    await using database = await openDatabase(
      `${setUp} CREATE TABLE things (id int PRIMARY KEY, ${definition}); CREATE TABLE oracle (LIKE things);`,
    )
    const record = (id: number, values: readonly string[]) => [id, ...values.map(quoted)].join(',')
    const good = types.map(([, value]) => value)
    const head = ['id', ...columns.map(({ name }) => name)].join(',')
    const none = `2${','.repeat(columns.length)}`
    const bad = refusing.map((each, at) => record(at + 3, good.with(each.n, each.bad)))
    await using folder = await Folder.make({
      'things.csv': [head, record(1, good), none, ...bad, ''].join('\n'),
    })
    const run = await folder.lading('load', 'things.csv', '--to', database.url)
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 2 records\n')])
    await copy(database.client, 'oracle', [head, record(1, good), none, ''].join('\n'))
    const texts = async (table: string) =>
      (await database.client.query(`SELECT ${table}::text AS row FROM ${table} ORDER BY id`)).rows
    expect(await texts('things')).toEqual(await texts('oracle'))
    const rejects = await folder.json<{ line: number; column: string; code: string }[]>(
      'rejects',
      'list',
      '--to',
      database.url,
      '--limit',
      '1000',
    )
    const places = rejects.toSorted((a, b) => a.line - b.line)
    expect(places.map(({ line, column, code }) => [line, column, code])).toEqual(
      refusing.map(({ n, code }, at) => [at + 4, `c${n}`, code]),
    )
  })

  it('reads forms of dates and decimals into types of less precision as into the others', async () => {
    await using database = await openDatabase(
      'CREATE TABLE days (id int, at timestamp(3)); CREATE TABLE seconds (at timestamp(0)); CREATE TABLE rates (id int, rate real, m money)',
    )
    const { client, url } = database
    await using folder = await Folder.make({
      'days.csv': 'id;at\n1;01.02.2026 10:00\n2;31.12.2026 11:30\n3;soon\n',
      'seconds.csv': 'at\n03/04/2026 10:00\n',
      'rates.csv': 'id;rate;m\n1;5,25;5.00\n2;1;5,00\n',
    })
    const days = await folder.lading('load', 'days.csv', '--to', url)
    expect([days.code, days.out], days.err).toEqual([3, expect.stringContaining('this run loaded 2 records')])
    expect((await client.query('SELECT at::text FROM days ORDER BY id')).rows).toEqual([
      { at: '2026-02-01 10:00:00' },
      { at: '2026-12-31 11:30:00' },
    ])
    const seconds = await folder.lading('load', 'seconds.csv', '--to', url)
    expectError(seconds, 'SOURCE_UNDECIDED', 65, 'DD/MM/YYYY HH:mm', 'MM/DD/YYYY HH:mm')
    const rates = await folder.lading('load', 'rates.csv', '--to', url)
    expect([rates.code, rates.out], rates.err).toEqual([
      3,
      expect.stringContaining('this run loaded 1 record'),
    ])
    expect((await client.query('SELECT rate, m::numeric::text FROM rates')).rows).toEqual([
      { rate: 5.25, m: '5.00' },
    ])
  })

  it('takes local times in the zone that is stated, keeps its local time of instants, and so do replays', async () => {
    await using database = await openDatabase(
      'CREATE TABLE visits (id int, at timestamptz, made timestamp, day date)',
    )
    const { client, url } = database
    const header = 'id,at,made,day\n'
    await using folder = await Folder.make({
      'visits.csv': `${header}1,2026-06-01 12:00,2026-06-01 10:00:00 UTC,2026-06-01\n2,2026-01-01T12:00:00Z,2026-01-01 12:00,\n3,2026-03-29 02:30:00,,\n5,,2026-01-01 12:00+99,\n6,,2026-01-01 12:00:00.1234567Z,\n`,
      'late.csv': `${header}4,2026-12-24 18:00:00,2026-12-24T17:00:00.5+00:00,2026-12-24\n`,
    })
    const to = ['--to', url]
    const run = await folder.lading('load', 'visits.csv', '--zone', 'Europe/Berlin', ...to)
    expect(run.code, run.err).toBe(3)
    expect(run.out).toContain('visits.csv:4: LOCAL_TIME_MISSING in at')
    expect(run.out).toContain('visits.csv:5: BAD_TIMESTAMP in made')
    expect(run.out).toContain('visits.csv:6: PRECISION_LOST in made')
    const late = await folder.lading('load', 'late.csv', '--table', 'visits', ...to)
    expect(late.out).toContain('late.csv:2: ZONE_MISSING in at')
    await folder.lading('rejects', 'replay', '--code', 'ZONE_MISSING', '--zone', 'Europe/Berlin', ...to)
    const { rows } = await client.query(
      "SELECT id, (at AT TIME ZONE 'UTC')::text AS at, made::text FROM visits ORDER BY id",
    )
    expect(rows).toEqual([
      { id: 1, at: '2026-06-01 10:00:00', made: '2026-06-01 12:00:00' },
      { id: 2, at: '2026-01-01 12:00:00', made: '2026-01-01 12:00:00' },
      { id: 4, at: '2026-12-24 17:00:00', made: '2026-12-24 18:00:00.5' },
    ])
    const refused = await folder.lading('load', 'visits.csv', '--zone', 'CEST', ...to)
    expectError(refused, 'USAGE', 64, "'CEST' is not an IANA time zone")
  })

  it('gives what the file does not have its default, its number and what the table computes', async () => {
    await using database = await openDatabase(`
      CREATE SCHEMA shop;
      CREATE TABLE shop.items (nr int GENERATED ALWAYS AS IDENTITY, id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        price numeric(8, 2) NOT NULL, twice numeric GENERATED ALWAYS AS (price * 2) STORED, made date NOT NULL DEFAULT '2024-01-01', note text)`)
    await using folder = await Folder.make({ 'a.csv': 'Price\n1.50\n\n2\n', 'b.csv': 'price,twice\n1,2\n' })
    const to = ['--to', database.url, '--table', 'shop.items']
    const run = await folder.lading('load', 'a.csv', ...to)
    expect(run.code, run.err).toBe(3)
    expect(run.err).toContain('Price → price')
    const { rows } = await database.client.query('SELECT items::text AS row FROM shop.items ORDER BY nr')
    expect(rows).toEqual([
      { row: '(1,1,1.50,3.00,2024-01-01,)' },
      { row: expect.stringMatching(/,2.00,4.00,/) },
    ])
    expectError(
      await folder.lading('load', 'b.csv', ...to),
      'SCHEMA_MISMATCH',
      78,
      'b.csv',
      'field twice is column twice, which the table computes itself',
    )
  })

  it('lacks a column that takes no NULL where a trigger before each row fills it, and is refused where none does', async () => {
    const slug = (name: string, body: string) => `
      CREATE TABLE ${name} (id int PRIMARY KEY, title text, slug text NOT NULL);
      CREATE FUNCTION ${name}_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
      CREATE TRIGGER before_row BEFORE INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION ${name}_row();`
    await using database = await openDatabase(
      slug('posts', `IF NEW.id <> 2 THEN NEW.slug := coalesce(NEW.slug, lower(NEW.title)); END IF;`) +
        slug('notes', 'NEW.title := trim(NEW.title);'),
    )
    const csv = 'id,title\n1,One\n2,Two\n3,Three\n'
    await using folder = await Folder.make({ 'posts.csv': csv, 'notes.csv': csv })
    const to = ['--to', database.url]
    const run = await folder.lading('load', 'posts.csv', ...to)
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 2 records\n')])
    const { rows } = await database.client.query('SELECT id, slug FROM posts ORDER BY id')
    expect(rows).toEqual([
      { id: 1, slug: 'one' },
      { id: 3, slug: 'three' },
    ])
    expect(await folder.json('rejects', 'list', ...to)).toMatchObject([
      { line: 3, code: 'CONSTRAINT_NOT_NULL' },
    ])
    expectError(
      await folder.lading('load', 'notes.csv', ...to),
      'SCHEMA_MISMATCH',
      78,
      /column slug \(text\) needs a value/,
    )
  })

  it('is killed with its consumers and goes on by the same command, and each record takes effect once, also where indexes are built at the end', () =>
    killAndResume(['--defer-indexes', 'always']))

  it('is the one that its name means: in another case, in quotes, in a schema that exists, and none of the database', async () => {
    const sql =
      'CREATE TABLE nn (a int, b int); CREATE TABLE "Aa" (); CREATE TABLE "aA" (); CREATE SCHEMA "Shop"; CREATE TABLE "Shop".n (a int)'
    await using database = await openDatabase(sql)
    const { url, client } = database
    await using sink = await openSink(url)
    const table = async (text: string) => {
      const facts = await sink.table?.(tableNamed(text))
      return facts && shownTable(facts)
    }
    expect(await table('NN')).toBe('nn')
    expect(await table('"NN"')).toBeUndefined()
    expect(await table('shop.N')).toBe('Shop.n')
    expect(await table('"Shop".m')).toBeUndefined()
    const refused = (text: string, code: string, reason: string) =>
      expect(table(text), text).rejects.toMatchObject({ code, message: expect.stringContaining(reason) })
    await refused('AA', 'USAGE', 'table AA could be "Aa" or "aA"')
    await refused(
      'nope.x',
      'SCHEMA_MISMATCH',
      'no schema nope, only Shop, public (CREATE SCHEMA "nope" makes it)',
    )
    for (const name of ['pg_class', 'pg_catalog.x', 'information_schema.tables', 'lading.load'])
      await refused(name, 'USAGE', `table ${name} belongs to`)
    const long = 'n'.repeat(64)
    await using folder = await Folder.make({ 'nn.csv': 'a,b\n1,2\n', [`${long}.csv`]: 'a,b\n1,2\n' })
    const load = (file: string, ...args: string[]) => folder.lading('load', file, '--to', url, ...args)
    const run = await load('nn.csv', '--table', 'NN')
    expect(run.code, run.err).toBe(0)
    expect(run.err).toContain('table NN is nn, whose name differs in case alone')
    expect((await client.query('SELECT * FROM nn')).rows).toEqual([{ a: 1, b: 2 }])
    expectError(await load('nn.csv', '--table', long), 'USAGE', 64, 'a name has at most 63 bytes')
    expect((await load(`${long}.csv`)).code).toBe(0)
    expect((await load(`${long}.csv`)).err, 'the server would cut the name').toContain('loaded already')
  })

  it('has rejects that are replayed without its name, wherever schema and table have points, unless it could be two', async () => {
    await using database = await openDatabase(
      `CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE "a.b"."c.d" (id int CHECK (id > 1)); CREATE TABLE a.e (id int)`,
    )
    await using folder = await Folder.make({ 'items.csv': 'id\n1\n' })
    const to = ['--to', database.url]
    await folder.lading('load', 'items.csv', '--table', '"a.b"."c.d"', ...to)
    await database.client.query(
      'ALTER TABLE "a.b"."c.d" DROP CONSTRAINT "c.d_id_check"; CREATE TABLE a."b.c.d" (id int)',
    )
    const unclear = await folder.lading('rejects', 'replay', ...to)
    expect(unclear).toMatchObject({
      code: 3,
      out: expect.stringContaining(`could be of table "a"."b.c.d" or "a.b"."c.d"`),
    })
    await database.client.query('DROP TABLE a."b.c.d"')
    expect(await folder.json('rejects', 'replay', ...to)).toMatchObject({ loaded: 1 })
  })

  it('whose columns change before an interrupted load is over says so, and nothing is loaded by another reading', async () => {
    await using database = await openDatabase('CREATE TABLE items (id int, note text)')
    await using folder = await Folder.make({ 'items.csv': 'id,note\n1,2\n' })
    const to = ['--to', database.url]
    await database.client.query(
      `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER hold BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION hold()`,
    )
    const first = folder.start(['load', 'items.csv', ...to])
    const told = new Promise<void>((resolve) =>
      first.stderr.on('data', (text) => /SINK_HOLD/.test(String(text)) && resolve()),
    )
    const ended = new Promise((resolve) => first.once('close', resolve))
    await told
    first.kill('SIGKILL')
    await ended
    await database.client.query(
      'DROP TRIGGER hold ON items; ALTER TABLE items ALTER note TYPE bigint USING note::bigint',
    )
    expectError(
      await folder.lading('load', 'items.csv', ...to),
      'PLAN_CHANGED',
      65,
      'or the columns of its table have changed since',
    )
    const fresh = await folder.lading('load', 'items.csv', ...to, '--fresh')
    expect(fresh.code, fresh.err).toBe(0)
    expect((await database.client.query('SELECT note + 1 AS note FROM items')).rows).toEqual([{ note: '3' }])
  })

  it('has rejects that are replayed, edited and found without a model, in the table of their pipeline or a named one', async () => {
    await using database = await openDatabase(
      `CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY, day date, tags text[]); CREATE TABLE parts (id int, "Part No" text)`,
    )
    await using folder = await Folder.make({
      'a.csv': 'ID,day,Tags\n1,2024-01-01,{a}\n2,x,{b}\n1,2024-01-03,{c}\n4,2024-01-04,d\n',
      'b.csv': 'id,part-no\nx,7\n',
    })
    const to = ['--to', database.url]
    await folder.lading('load', 'a.csv', ...to, '--table', 'shop.items')
    await folder.lading('load', 'b.csv', ...to, '--table', 'parts', '--pipeline', 'other')
    const rejects = await folder.json<{ id: number; column?: string; pipeline: string }[]>(
      'rejects',
      'list',
      ...to,
    )
    expect(rejects.map((each) => `${each.pipeline} ${each.column}`).toSorted()).toEqual([
      'other id',
      'shop.items day',
      'shop.items tags',
      'shop.items undefined',
    ])
    const idOf = (name: string) => rejects.find(({ column }) => column === name)?.id
    const [day, tags, other] = ['day', 'tags', 'id'].map(idOf)
    await folder.lading('rejects', 'edit', `${day}`, '--record', '2,2024-01-02,{b}', ...to)
    await folder.lading('rejects', 'edit', `${tags}`, '--record', '4,2024-01-04,{d}', ...to)
    await folder.lading('rejects', 'edit', `${other}`, '--record', '7,7', ...to)
    const named = await folder.lading('rejects', 'replay', `${other}`, '--table', 'parts', ...to)
    expect(named.out, named.err).toBe(`${other}: loaded\n`)
    const all = await folder.json('rejects', 'replay', ...to, '--on-conflict', 'skip')
    expect(all).toMatchObject({ loaded: 2, skipped: 1, refused: 0 })
    const { rows } = await database.client.query('SELECT items::text AS row FROM shop.items ORDER BY id')
    expect(rows.map(({ row }) => row)).toEqual([
      '(1,2024-01-01,{a})',
      '(2,2024-01-02,{b})',
      '(4,2024-01-04,{d})',
    ])
    expect((await folder.lading('verify', ...to)).out).toContain('every load is complete and adds up')
  })

  it('takes objects whose fields are its columns, and keeps defaults of columns that no object has', async () => {
    await using database = await openDatabase(
      `CREATE TABLE items (id int PRIMARY KEY, made date NOT NULL DEFAULT '2024-01-01', "Unit Price" numeric, tags jsonb, seen int DEFAULT 7, left_out int DEFAULT 3)`,
    )
    const to = ['--to', database.url]
    const padding = '{"id":1,"unit_price":1.50,"tags":{"a":[1]}}\n'
    const objects = Array.from({ length: 9000 }, (_, n) => padding.replace('1,', `${n + 10},`)).join('')
    await using folder = await Folder.make({
      'items.ndjson': `${objects}{"id":1,"unit_price":"x","tags":null,"seen":1}\n{"id":2,"unit_price":2,"seen":2}\n`,
    })
    const run = await folder.lading('load', 'items.ndjson', ...to)
    expect([run.code, run.out], run.err).toEqual([
      3,
      expect.stringContaining('this run loaded 9,001 records\n'),
    ])
    await folder.lading('rejects', 'edit', '1', '--record', '{"id":1,"unit_price":1,"tags":[]}', ...to)
    expect(await folder.json('rejects', 'replay', ...to)).toMatchObject({ loaded: 1 })
    const { rows } = await database.client.query(
      'SELECT items::text AS row FROM items WHERE id < 11 ORDER BY id',
    )
    expect(rows.map(({ row }) => row)).toEqual([
      '(1,2024-01-01,1,[],,3)',
      '(2,2024-01-01,2,,2,3)',
      '(10,2024-01-01,1.50,"{""a"": [1]}",,3)',
    ])
  })

  it('a view takes rows by its trigger, which also leaves some out and refuses one, each of them a reject', async () => {
    await using database = await openDatabase(`
      CREATE TABLE stored (id int PRIMARY KEY, note text); CREATE VIEW items AS SELECT id, note FROM stored;
      CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.note = 'none' THEN RETURN NULL; END IF; IF new.note = 'no' THEN RAISE 'no'; END IF;
        INSERT INTO stored VALUES (new.id, upper(new.note)); RETURN new; END $$;
      CREATE TRIGGER take INSTEAD OF INSERT ON items FOR EACH ROW EXECUTE FUNCTION take();
      CREATE VIEW readable AS SELECT id FROM stored;`)
    await using folder = await Folder.make({
      'items.csv': 'id,note\n1,a\n2,none\n3,b\n4,no\n1,c\nx,d\n6,e\n',
      'readable.csv': 'id\n1\n',
    })
    const to = ['--to', database.url]
    const run = await folder.lading('load', 'items.csv', ...to)
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 3 records\n')])
    expect(run.err).toContain(
      'it is a view with an INSTEAD OF trigger, so rows are inserted instead of copied',
    )
    const { rows } = await database.client.query('SELECT id, note FROM stored ORDER BY id')
    expect(rows).toEqual([
      { id: 1, note: 'A' },
      { id: 3, note: 'B' },
      { id: 6, note: 'E' },
    ])
    const rejects = await folder.json<{ line: number; code: string }[]>('rejects', 'list', ...to)
    expect(rejects.map(({ line, code }) => [line, code]).toSorted()).toEqual([
      [3, 'TRIGGER_RAISED'],
      [5, 'TRIGGER_RAISED'],
      [6, 'CONSTRAINT_UNIQUE'],
      [7, 'BAD_INTEGER'],
    ])
    await database.client.query('UPDATE stored SET id = 9 WHERE id = 1')
    expect(await folder.json('rejects', 'replay', '--code', 'CONSTRAINT_UNIQUE', ...to)).toMatchObject({
      loaded: 1,
    })
    expectError(
      await folder.lading('load', 'readable.csv', ...to),
      'SCHEMA_MISMATCH',
      78,
      'a view without an INSTEAD OF INSERT trigger',
    )
    expectError(
      await folder.lading('load', 'items.csv', ...to, '--on-conflict', 'skip', '--again'),
      'SCHEMA_MISMATCH',
      78,
      'the trigger of a view decides',
    )
  })

  it('a table under row security takes what its policies allow, and the key of a row that nobody sees is a reject', async () => {
    await using database = await openDatabase(`
      CREATE TABLE items (id int PRIMARY KEY, tenant text NOT NULL, note text); INSERT INTO items VALUES (5, 'b', 'theirs');
      ALTER TABLE items ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON items USING (tenant = 'a') WITH CHECK (tenant = 'a');`)
    const role = `tenant_${randomUUID().replaceAll('-', '')}`
    await database.client.query(
      `CREATE ROLE ${role} LOGIN; GRANT SELECT, INSERT, UPDATE ON items TO ${role}; GRANT CREATE ON DATABASE ${new URL(database.url).pathname.slice(1)} TO ${role}`,
    )
    const url = new URL(database.url)
    url.username = role
    const to = ['--to', url.href]
    await using folder = await Folder.make({
      'items.csv': 'id,tenant,note\n1,a,x\n2,b,x\n3,a,y\n5,a,z\n',
      'more.csv': 'id,tenant,note\n1,a,changed\n7,a,new\n7,a,newer\n',
    })
    const run = await folder.lading('load', 'items.csv', ...to)
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 2 records\n')])
    expect(run.err).toContain('row security applies to our role')
    const rejects = await folder.json<{ line: number; code: string }[]>('rejects', 'list', ...to)
    expect(rejects.map(({ line, code }) => [line, code])).toEqual([
      [3, 'CONSTRAINT_CHECK'],
      [5, 'CONSTRAINT_UNIQUE'],
    ])
    const more = await folder.lading('load', 'more.csv', '--table', 'items', '--on-conflict', 'update', ...to)
    expect(more.code, more.err).toBe(0)
    const { rows } = await database.client.query('SELECT items::text AS row FROM items ORDER BY id')
    expect(rows.map(({ row }) => row)).toEqual(['(1,a,changed)', '(3,a,y)', '(5,b,theirs)', '(7,a,newer)'])
    await database.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('is updated or left as it is by the unique index that decides, over expressions and parts of the rows too', async () => {
    await using database = await openDatabase(`
      CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY, email text, gone date, name text, CONSTRAINT dull CHECK (name <> 'bad'));
      CREATE UNIQUE INDEX lower_email ON people (lower(email)); INSERT INTO people (email, name) VALUES ('Ada@x', 'old');
      CREATE TABLE seats (seat int, gone date, name text, row int GENERATED ALWAYS AS IDENTITY);
      CREATE UNIQUE INDEX taken ON seats (seat) WHERE gone IS NULL; INSERT INTO seats (seat, name) VALUES (1, 'old');`)
    const to = ['--to', database.url]
    await using folder = await Folder.make({
      'people.csv': 'email,name\nada@x,new\nbob@x,1\nBOB@x,2\n,none\n,none too\neve@x,bad\n',
      'seats.csv': 'seat,gone,name\n1,,new\n2,,a\n2,2024-01-01,left\n2,2024-01-02,left too\n2,,b\n',
      'few.csv': 'seat,name\n1,a\n',
    })
    const people = await folder.lading('load', 'people.csv', ...to, '--on-conflict', 'update')
    expect(people.code, people.err).toBe(3)
    const found = await database.client.query(
      "SELECT concat_ws(',', email, name) AS row FROM people ORDER BY name",
    )
    expect(found.rows.map(({ row }) => row)).toEqual(['BOB@x,2', 'ada@x,new', 'none', 'none too'])
    const skipped = await folder.lading('load', 'seats.csv', ...to, '--on-conflict', 'skip', '--key', 'seat')
    expect([skipped.code, skipped.out], skipped.err).toEqual([
      0,
      expect.stringMatching(/seats.csv +5 +3 +0 +2 /),
    ])
    const seats = await database.client.query(
      "SELECT concat_ws(',', seat, gone, name) AS row FROM seats ORDER BY seat, gone, name",
    )
    expect(seats.rows.map(({ row }) => row)).toEqual([
      '1,old',
      '2,2024-01-01,left',
      '2,2024-01-02,left too',
      '2,a',
    ])
    expectError(
      await folder.lading('load', 'few.csv', ...to, '--table', 'seats', '--on-conflict', 'skip'),
      'SCHEMA_MISMATCH',
      78,
      'taken: the file has no gone',
    )
  })
})

describeRabbit('a file into a table that exists, without a model, over RabbitMQ', () => {
  it('is killed with its consumers and goes on by the same command, and each record takes effect once', () =>
    killAndResume(['--queue', freshQueueUrl()]))
})
