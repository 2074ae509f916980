/** What `lading doctor` finds of a queue in a PostgreSQL database. It changes nothing. */
import type pg from 'pg'
import { count } from '../../core/counted.ts'
import { sizeText } from '../../core/disk.ts'
import { checked, failure, type Finding, findingsAbout } from '../../core/finding.ts'
import { Connection } from '../../driver/postgres/connection.ts'
import { shownIdentifier } from '../../driver/postgres/identifier.ts'
import { OwnSessions } from '../../driver/postgres/sessions.ts'
import type { QueueQuestions } from '../examination.ts'
import { parseAddress } from './address.ts'
import { queueError } from './errors.ts'
import { encodingFault, find, serverOf, versionOf } from './prepare.ts'
import { migrations } from './schema.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

/** Shorter ones end while a batch is written. */
const shortLeaseMs = 10_000
/** Dead rows from which on taking messages is slower. */
const manyDead = 500_000
/** Milliseconds of a transaction that keeps dead rows from being removed. */
const longMs = 10 * 60_000

export async function* examine(url: string, { create, signal }: QueueQuestions): AsyncGenerator<Finding> {
  const { database, queue, leaseMs } = parseAddress(url)
  if (leaseMs < shortLeaseMs)
    yield warn(
      'lease',
      `a consumer that is silent for ${leaseMs / 1000} s loses its messages, which a slow batch may be`,
      'leave lease out of the URL (30 s)',
    )
  await using connection = new Connection(new OwnSessions(database))
  const ask = <T>(work: (client: pg.Client) => Promise<T>): Promise<T> =>
    connection.use(work, signal).catch((error: unknown) => {
      throw queueError(error, queue)
    })
  let version: number
  try {
    version = await ask(versionOf)
  } catch (error) {
    yield failure('queue', 'connection', error)
    return
  }
  yield* await checked('queue', 'durability', async (add) => add(...(await ask(server))))
  if (version > migrations.length) {
    yield fail(
      'queue',
      `QUEUE_NEWER: the queues of the database have version ${version}, this lading knows ${migrations.length}`,
      'npm install lading@latest',
    )
    return
  }
  const found = version === 0 ? undefined : await ask((client) => find(client, queue))
  if (found === undefined) {
    yield create
      ? note('queue', 'there is none yet: the first load makes it')
      : fail('queue', `QUEUE_MISSING: there is no queue ${queue} in the database`, 'leave --no-create away')
    if (create)
      yield* await checked('queue', 'rights', async (add) =>
        add(...(await ask((client) => mayMake(client, version)))),
      )
    return
  }
  const checks = [contents(found.number), rights, upkeep, oldSnapshots]
  for (const check of checks)
    yield* await checked('queue', 'queue', async (add) => add(...(await ask(check))))
}

async function server(client: pg.Client): Promise<readonly Finding[]> {
  const { encoding, unsafe } = await serverOf(client)
  const unfit = encodingFault(encoding)
  if (unfit !== undefined) return [fail('encoding', `QUEUE_REFUSED: ${unfit}`)]
  if (unsafe.length === 0)
    return [
      ok(
        'durability',
        'what is published waits for the disk; leases and settlements beside the batches do not, which costs a second delivery at most',
      ),
    ]
  return unsafe.map((name) =>
    warn(
      'durability',
      `${name} is off: when the machine fails, the server may lose what was published`,
      `ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf();`,
    ),
  )
}

async function mayMake(client: pg.Client, version: number): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ database: string; role: string; may: boolean }>(
    `SELECT current_database() AS database, current_user AS role,
       CASE WHEN $1 THEN has_table_privilege('lading_queue.queue', 'INSERT')
         ELSE coalesce(has_schema_privilege(to_regnamespace('lading_queue'), 'CREATE'), has_database_privilege(current_database(), 'CREATE')) END AS may`,
    [version > 0],
  )
  const { database = '', role = '', may = true } = rows[0] ?? {}
  if (may) return [ok('rights', `${role} may make the queue`)]
  const cure =
    version > 0
      ? `GRANT INSERT ON lading_queue.queue TO ${shownIdentifier(role)};`
      : `GRANT CREATE ON DATABASE ${shownIdentifier(database)} TO ${shownIdentifier(role)};`
  return [fail('rights', `${role} may not make the queue`, cure)]
}

const contents =
  (queue: number) =>
  async (client: pg.Client): Promise<readonly Finding[]> => {
    const { rows } = await client.query<{ ready: number; held: number; bytes: number }>(
      `SELECT count(*) FILTER (WHERE lease IS NULL OR available_at <= now())::float8 AS ready,
       count(*) FILTER (WHERE lease IS NOT NULL AND available_at > now())::float8 AS held, coalesce(sum(bytes), 0)::float8 AS bytes
     FROM lading_queue.message WHERE queue = $1`,
      [queue],
    )
    const { ready = 0, held = 0, bytes = 0 } = rows[0] ?? {}
    if (ready + held === 0) return [ok('queue', 'it is empty')]
    const depth = `${count(ready)} messages wait and ${count(held)} are with consumers, ${sizeText(bytes)}`
    return [note('queue', `${depth}: a load takes its own alone, a consumer all of them`, 'lading status')]
  }

async function rights(client: pg.Client): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ role: string; missing: string[] }>(
    `SELECT current_user AS role, array(
       SELECT privilege FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege
       WHERE NOT has_table_privilege('lading_queue.message', privilege)) AS missing`,
  )
  const { role = '', missing = [] } = rows[0] ?? {}
  if (missing.length === 0) return [ok('rights', `${role} may publish and consume`)]
  const cure = `GRANT ${missing.join(', ')} ON lading_queue.message TO ${shownIdentifier(role)};`
  if (!missing.includes('INSERT')) return [warn('rights', `${role} may publish, and not consume`, cure)]
  return [fail('rights', `${role} lacks ${missing.join(', ')} on the messages`, cure)]
}

/** The space of settled messages comes back by vacuum alone. */
async function upkeep(client: pg.Client): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ auto: boolean; dead: number; size: number; at: Date | null }>(
    `SELECT current_setting('autovacuum') = 'on' AND NOT coalesce('autovacuum_enabled=false' = ANY (reloptions) OR 'autovacuum_enabled=off' = ANY (reloptions), false) AS auto,
       n_dead_tup::float8 AS dead, pg_total_relation_size(pg_class.oid)::float8 AS size, greatest(last_vacuum, last_autovacuum) AS at
     FROM pg_class JOIN pg_stat_all_tables ON relid = pg_class.oid WHERE pg_class.oid = 'lading_queue.message'::regclass`,
  )
  const { auto = true, dead = 0, size = 0, at } = rows[0] ?? {}
  const seen = `${sizeText(size)}, ${count(dead)} settled or outdated rows in it, last vacuumed ${at?.toISOString() ?? 'never'}`
  if (!auto)
    return [
      warn(
        'autovacuum',
        `it is off, so the space of settled messages is never used again (${seen})`,
        'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf(); ALTER TABLE lading_queue.message RESET (autovacuum_enabled);',
      ),
    ]
  if (dead > manyDead) return [warn('bloat', seen, 'VACUUM lading_queue.message;')]
  return [ok('bloat', seen)]
}

/** While one lives, vacuum removes nothing that it could see. */
async function oldSnapshots(client: pg.Client): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ who: string; ms: number | null }>(
    `SELECT format('session %s (%s)', pid, coalesce(nullif(application_name, ''), 'unnamed')) AS who,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 * 1000 AS ms
     FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL AND xact_start < clock_timestamp() - $1 * interval '1 ms'
     UNION ALL
     SELECT format('prepared transaction %s', gid), extract(epoch FROM clock_timestamp() - prepared)::float8 * 1000
     FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - $1 * interval '1 ms'
     UNION ALL
     SELECT format('replication slot %s', slot_name), NULL FROM pg_replication_slots WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)
     LIMIT 5`,
    [longMs],
  )
  return rows.map(({ who, ms }) =>
    warn(
      'old snapshot',
      `${who}${ms === null ? ' is used by nobody' : ` has been open for ${Math.round(ms / 60_000)} min`}: settled messages keep their space, and taking others is slower, until it ends`,
    ),
  )
}
