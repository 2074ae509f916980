/**
 * Keys that another session holds: entered into the ledger by a transaction that is still open, mostly
 * because its consumer has stopped.
 */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { isDatabaseError } from '../../../driver/postgres/errors.ts'
import { arrayLiteral, literal } from '../../../driver/postgres/literal.ts'
import { LadingError } from '../../../core/errors.ts'

/**
 * Healthy transactions were waited for before; this only separates keys that are held from those that are
 * free.
 */
const lockTimeout = '200ms'
/** Time-outs after which groups are not halved any more: a few seconds in all. */
const mostTimeouts = 16

/**
 * Returns the keys that cannot be entered now; changes nothing. Keys that are held are mostly adjacent, so
 * groups are probed and halved. After too many probes, the free keys of a group count as held. Throws
 * `SINK_BUSY` if the whole table is locked.
 */
export async function lockedKeys(
  client: pg.Client,
  pipeline: string,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const locked = new Set<string>()
  // In the order of their entry, the next one last.
  const groups = keys.length === 0 ? [] : [keys.toSorted()]
  let timeouts = 0
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    if (await canEnter(client, pipeline, group)) continue
    if (group.length === 1 || ++timeouts > mostTimeouts) for (const key of group) locked.add(key)
    else groups.push(group.slice(group.length / 2), group.slice(0, group.length / 2))
  }
  if (locked.size > 0 && !(await canEnter(client, pipeline, [`probe:${randomUUID()}`])))
    throw new LadingError('SINK_BUSY', 'PostgreSQL: the ledger is locked by another session')
  return locked
}

/** Enters the keys, and takes them back. */
async function canEnter(client: pg.Client, pipeline: string, keys: readonly string[]): Promise<boolean> {
  try {
    await client.query(`SAVEPOINT probe; SET LOCAL lock_timeout = '${lockTimeout}';
      INSERT INTO lading.ledger (pipeline, key, sha256, outcome, records, loaded, rejected, skipped)
      SELECT ${literal(pipeline)}, key, '', 'applied', 0, 0, 0, 0 FROM unnest(${arrayLiteral('text', keys)}) key ON CONFLICT DO NOTHING;
      ROLLBACK TO probe; RELEASE probe`)
    return true
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== '55P03') throw error
    await client.query('ROLLBACK TO probe; RELEASE probe')
    return false
  }
}
