/**
 * Keys that another session holds: entered into the ledger by a transaction that is open, because its
 * consumer has stopped, mostly.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { LadingError } from '../../../core/errors.ts'
import { arrayLiteral, literal } from '../copy/literal.ts'

/**
 * A healthy consumer's transaction was waited for before, so this only tells a key that is held from one that
 * is free.
 */
const lockTimeout = '200ms'
/**
 * Questions that may be answered with a lock before halves are not looked into any more: some seconds in all.
 */
const mostTimeouts = 16

/**
 * Which of the keys cannot be entered now, where others can; changes nothing. Several that are held lie next
 * to each other in most cases, so groups are asked for and halved. Where it takes too many questions, free
 * keys of a group count as held. Throws `SINK_BUSY` where it is the table that is locked.
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
    if (!(error instanceof pg.DatabaseError) || error.code !== '55P03') throw error
    await client.query('ROLLBACK TO probe; RELEASE probe')
    return false
  }
}
