import { expect, it } from 'vitest'
import {
  bigint,
  defineModel,
  type LadingError,
  load,
  openQueue,
  openSink,
  text,
  type UnmodelledLoadOptions,
} from '../../src/index.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { levels, named, usePostgres } from './findings.ts'

const orders = (n: number) => [
  'id,status,note',
  ...Array.from(
    { length: n },
    (_, i) => `${i + 1},${['new', 'paid', 'sent'][i % 3]},note ${(i * 7919) % 10_007}`,
  ),
]

describePostgres('doctor of a PostgreSQL database', () => {
  const at = usePostgres()
  const { sql } = at

  /** A role of the database that may do nothing; it goes with what it was given. */
  async function newRole(): Promise<{ readonly url: string } & AsyncDisposable> {
    const name = `doctor_${Math.random().toString(36).slice(2)}`
    await sql(
      `CREATE ROLE ${name} LOGIN; REVOKE TEMPORARY ON DATABASE ${new URL(at.url).pathname.slice(1)} FROM PUBLIC`,
    )
    const url = new URL(at.url)
    url.username = name
    return {
      url: url.href,
      [Symbol.asyncDispose]: async () => void (await sql(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`)),
    }
  }

  async function loadAll(url: string, path: string, options: Partial<UnmodelledLoadOptions> = {}) {
    await using queue = await openQueue(`${at.place.queue}-${Math.random()}`)
    await using sink = await openSink(url)
    const state = { statePath: `${path}.${Math.random()}`, again: true }
    return (await load({ paths: [path], queue, sink, ...state, startTimeoutMs: 1, ...options })).account
      .totals
  }

  it.each([
    ['a table that is to be made', 2, '', {}],
    [
      'a table that is to be made in a schema that is named',
      2,
      'CREATE SCHEMA shop;',
      { table: { schema: 'shop', table: 'orders' } },
    ],
    [
      'a table of another role, with a sequence',
      5,
      'CREATE SCHEMA shop; CREATE TABLE shop.orders (id bigint PRIMARY KEY, status text, note text, number serial);',
      { table: { schema: 'shop', table: 'orders' }, choices: { onConflict: 'update' as const } },
    ],
  ])(
    'a role without rights gets the GRANTs that a load needs, and no other: %s',
    async (_, grantCount, schema, options) => {
      await sql(`${schema} REVOKE ALL ON SCHEMA public FROM PUBLIC`)
      await using role = await newRole()
      const path = at.place.file('orders.csv', orders(10))
      const granted: string[] = []
      // What a right hides shows once it is there.
      for (let round = 0; round < 3; round++) {
        const found = await at.place.findings({ to: role.url, paths: [path], ...options })
        const grants = found.flatMap(({ level, cure }) =>
          level === 'fail' && cure !== undefined ? [cure] : [],
        )
        for (const grant of grants) await sql(grant)
        granted.push(...grants)
        if (grants.length === 0) break
      }
      expect(granted.length).toBe(grantCount)
      for (const grant of granted) {
        await sql(grant.replace('GRANT', 'REVOKE').replace(/ TO (\w+;)$/, ' FROM $1'))
        const without = await loadAll(role.url, path, options).catch(({ code }: LadingError) => ({ code }))
        expect(without, grant).toMatchObject({ code: 'SINK_REFUSED' })
        await sql(grant)
      }
      expect(await loadAll(role.url, path, options)).toMatchObject({ records: 10, loaded: 10 })
    },
  )

  it('records that delete need the right to', async () => {
    await sql('CREATE TABLE orders (id bigint PRIMARY KEY, status text, note text)')
    await using role = await newRole()
    const { username } = new URL(role.url)
    await sql(
      `GRANT SELECT, INSERT, UPDATE (id, status) ON orders TO ${username}; GRANT TEMPORARY ON DATABASE ${new URL(at.url).pathname.slice(1)} TO ${username}`,
    )
    const columns = { id: bigint().notNull(), status: text() }
    const model = defineModel({ table: 'orders', columns, primaryKey: ['id'], onConflict: 'update' })
    const cures = async (...unwrap: readonly 'debezium'[]) =>
      named(await at.place.findings({ to: role.url, model, unwrap }), 'rights').flatMap(({ about, cure }) =>
        about === 'table' && cure !== undefined ? [cure] : [],
      )
    expect(await cures()).toEqual([])
    expect(await cures('debezium')).toEqual([`GRANT DELETE ON TABLE public.orders TO ${username};`])
    await sql(`GRANT DELETE ON TABLE public.orders TO ${username}`)
    expect(await cures('debezium')).toEqual([])
  })

  it('each index is measured, and the table, its sequence and the catalogue stay as they were', async () => {
    await sql(`CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers SELECT generate_series(1, 3);
      CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL CHECK (status <> ''), note text, number bigserial, customer int DEFAULT 1 REFERENCES customers);
      CREATE INDEX by_note ON orders (note); CREATE INDEX by_status ON orders USING hash (status);
      INSERT INTO orders (id, status) SELECT -g, 'old' FROM generate_series(1, 20) g`)
    const snapshot = () =>
      sql(`SELECT (SELECT count(*) FROM orders) AS rows, (SELECT last_value FROM orders_number_seq) AS number, pg_relation_size('orders') AS bytes, pg_indexes_size('orders') AS indexes,
             (SELECT array_agg(relname || relfilenode ORDER BY relname) FROM pg_class WHERE relname !~ '^pg_toast') AS relations`)
    const before = await snapshot()
    const found = await at.place.findings({ to: at.url, paths: [at.place.file('orders.csv', orders(3_000))] })
    expect(await snapshot()).toEqual(before)
    const [speed] = named(found, 'speed')
    expect(speed?.detail).toMatch(/^about [\d,]+ records\/s for one consumer: .* of the file/)
    expect(speed?.costs?.map(({ what }) => what).toSorted()).toEqual([
      expect.stringMatching(/^check /),
      'foreign key orders_customer_fkey to public.customers',
      'hash index by_status (status)',
      'index by_note (note)',
      'key orders_pkey (id)',
      'the rows themselves',
    ])
    const [hash] = named(found, 'hash index')
    expect(hash).toMatchObject({
      detail: expect.stringMatching(/^public.by_status: 3 values in [\d,]+ rows, .* with [\d,]+ rows in it/),
      cure: expect.stringContaining('DROP INDEX public.by_status;'),
    })
    await sql(hash?.cure ?? '')
    for (const { cure = '' } of named(found, 'foreign keys')) await sql(cure)
    expect(levels(found, 'fail')).toEqual([])
  })

  it('triggers run only where a person asks for it, and what they change in the database is rolled back', async () => {
    await sql(`CREATE SEQUENCE witness; CREATE TABLE log (id bigint); CREATE TABLE orders (id bigint, status text, note text);
      CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('public.witness'); INSERT INTO public.log VALUES (NEW.id); RETURN NEW; END $$;
      CREATE TRIGGER noting BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted()`)
    const path = at.place.file('orders.csv', orders(200))
    const called = async () =>
      (await sql<{ called: boolean }>('SELECT is_called AS called FROM witness'))[0]?.called
    const found = await at.place.findings({ to: at.url, paths: [path] })
    expect(await called()).toBe(false)
    expect(named(found, 'triggers')[0]?.cure).toContain('--with-triggers')
    const measured = await at.place.findings({ to: at.url, paths: [path], withTriggers: true })
    expect(named(measured, 'speed')[0]?.costs?.map(({ what }) => what)).toContain('trigger noting')
    // A sequence is the one thing that a rollback leaves.
    expect(await called()).toBe(true)
    expect(await sql('SELECT FROM log')).toEqual([])
  })

  it('what does not fit is said of each column, and of a file that was loaded before', async () => {
    await sql('CREATE TABLE orders (id bigint PRIMARY KEY, status varchar(3), note text)')
    const path = at.place.file('orders.csv', ['id,status,note', '1,new,a', '2,lasting,b', 'x,new,c'])
    const found = await at.place.findings({ to: at.url, paths: [path] })
    expect(named(found, 'file').filter(({ about }) => about === 'files')).toMatchObject([
      {
        level: 'warn',
        detail: expect.stringMatching(
          /first 3 records include 2 that would be rejected: 1 TOO_LONG, 1 BAD_INTEGER/,
        ),
      },
    ])
    expect(await loadAll(at.url, path, { again: false })).toMatchObject({ loaded: 1, rejected: 2 })
    const again = await at.place.findings({ to: at.url, paths: [path] })
    expect(named(again, 'loaded before')[0]?.detail).toContain('the same bytes were loaded')
  })

  it('records that a check, a key or NOT NULL refuses are counted, and the others are measured; no value is shown', async () => {
    await sql(
      "CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL CHECK (status <> 'secret'), note text)",
    )
    const lines = [...orders(200), '1,new,twice', '201,secret,a', '202,secret,b', '203,,c']
    const found = await at.place.findings({ to: at.url, paths: [at.place.file('orders.csv', lines)] })
    expect(named(found, 'records')).toMatchObject([
      { level: 'warn', detail: expect.stringMatching(/^3 of the first 204 records /) },
    ])
    expect(named(found, 'keys')).toMatchObject([
      { detail: expect.stringMatching(/^1 of the first 204 records /) },
    ])
    expect(named(found, 'speed')[0]?.costs).toBeDefined()
    expect(JSON.stringify(found)).not.toMatch(/secret[^']/)
  })

  it('a database that cannot be reached hides nothing else', async () => {
    const found = await at.place.findings({
      to: 'postgresql://me:secret@127.0.0.1:1/shop',
      paths: [at.place.file('orders.csv', orders(3))],
    })
    expect(levels(found, 'fail')).toEqual([expect.stringMatching(/^connection: SINK_UNAVAILABLE: /)])
    expect(new Set(found.map(({ about }) => about))).toEqual(
      new Set(['machine', 'queue', 'database', 'files', 'table']),
    )
    expect(JSON.stringify(found)).not.toContain('secret')
  })
})
