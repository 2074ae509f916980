import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { openQueue } from '../../src/index.ts'
import { examineQueue } from '../../src/queue/registry.ts'
import { describePostgres, freshDatabase, type FreshDatabase } from '../../tooling/servers/database.ts'
import { query } from '../support/fixture.ts'
import { levels, named } from './findings.ts'

async function ofQueue(url: string, create = true): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for await (const finding of await examineQueue(url, { create })) found.push(finding)
  return found
}

const make = async (url: string) => await (await openQueue(url))[Symbol.asyncDispose]()

describePostgres('what the doctor finds of a queue in PostgreSQL', () => {
  let database: FreshDatabase
  let url = ''

  beforeEach(async () => {
    database = await freshDatabase()
    url = `${database.url}?queue=readings`
  })
  afterEach(() => database.drop())

  const sql = <Row>(text: string) => query<Row>(database.url, text)

  it('an empty one, a short lease, and tables that a newer version made', async () => {
    await make(url)
    expect(named(await ofQueue(url), 'queue')).toMatchObject([{ level: 'ok', detail: 'it is empty' }])
    expect(levels(await ofQueue(`${url}&lease=5`), 'warn')).toEqual([
      expect.stringMatching(/^lease: a consumer that is silent for 5 s/),
    ])
    await sql('INSERT INTO lading_queue.migration VALUES (99)')
    expect(levels(await ofQueue(url), 'fail')).toEqual([expect.stringMatching(/^queue: QUEUE_NEWER: /)])
  })

  it('a role gets the GRANTs that it lacks to make a queue, to publish and to consume', async () => {
    const role = `queue_${Math.random().toString(36).slice(2)}`
    await sql(`CREATE ROLE ${role} LOGIN`)
    const its = new URL(url)
    its.username = role
    const rights = async () => named(await ofQueue(its.href), 'rights')
    try {
      expect(await rights()).toMatchObject([
        { level: 'fail', cure: expect.stringMatching(/^GRANT CREATE ON/) },
      ])
      await make(`${database.url}?queue=other`)
      await sql(
        `GRANT USAGE ON SCHEMA lading_queue TO ${role}; GRANT SELECT ON lading_queue.migration, lading_queue.queue TO ${role}`,
      )
      const [insert] = await rights()
      expect(insert).toMatchObject({ level: 'fail', cure: `GRANT INSERT ON lading_queue.queue TO ${role};` })
      await sql(insert?.cure ?? '')
      expect(await rights()).toMatchObject([{ level: 'ok' }])
      await make(url)
      const [all] = await rights()
      expect(all).toMatchObject({
        level: 'fail',
        detail: expect.stringMatching(/lacks SELECT, INSERT, UPDATE, DELETE/),
      })
      await sql(`GRANT INSERT ON lading_queue.message TO ${role}`)
      const [consuming] = await rights()
      expect(consuming).toMatchObject({
        level: 'warn',
        detail: expect.stringMatching(/may publish, and not consume/),
      })
      await sql(consuming?.cure ?? '')
      expect(await rights()).toMatchObject([{ level: 'ok' }])
    } finally {
      await sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('space that does not come back: many rows that are dead, and no vacuum', async () => {
    await make(url)
    // What is rolled back is dead as what is settled is.
    await sql(
      'ALTER TABLE lading_queue.message DROP CONSTRAINT message_pkey, SET UNLOGGED, SET (autovacuum_enabled = off, fillfactor = 100)',
    )
    await sql(
      "BEGIN; INSERT INTO lading_queue.message (queue, key, body, bytes) SELECT 1, '', '', 0 FROM generate_series(1, 500001); ROLLBACK",
    )
    const [off] = named(await ofQueue(url), 'autovacuum')
    expect(off).toMatchObject({ level: 'warn', cure: expect.stringContaining('RESET (autovacuum_enabled)') })
    // On, and not before the test has looked.
    await sql(
      'ALTER TABLE lading_queue.message SET (autovacuum_enabled = on, autovacuum_vacuum_threshold = 1000000000)',
    )
    // A session tells its counters after its client has gone.
    const bloat = () => expect.poll(async () => named(await ofQueue(url), 'bloat'), { timeout: 30_000 })
    await bloat().toMatchObject([
      { level: 'warn', detail: expect.stringContaining('500,001'), cure: 'VACUUM lading_queue.message;' },
    ])
    await sql('VACUUM lading_queue.message')
    await bloat().toMatchObject([{ level: 'ok' }])
  })

  it('a database in another encoding than UTF-8 stands against a queue', async () => {
    const name = `latin_${Math.random().toString(36).slice(2)}`
    await sql(`CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`)
    const latin = new URL(url)
    latin.pathname = `/${name}`
    expect(levels(await ofQueue(latin.href), 'fail')).toEqual([
      'encoding: QUEUE_REFUSED: the database has the encoding LATIN1, a queue needs UTF8',
    ])
    await expect(openQueue(latin.href)).rejects.toMatchObject({ code: 'QUEUE_REFUSED' })
    await sql(`DROP DATABASE ${name} WITH (FORCE)`)
  })
})
