/**
 * Whether something stands between this session and the server, and whether it lends one server session to
 * several clients. A session's number is sent when it begins, and the server states it again on request: a
 * pooler, which answers the beginning itself, sends another. If a transaction of a second client runs in the
 * server session that this client has just used, sessions are not kept for clients. A pooler with more idle
 * sessions than clients might not show it, so it is tried several times.
 */
import type pg from 'pg'
import { poolerCure, refusesTransactions } from '../../../driver/postgres/pooling.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { type Check, row, type Visit } from './visit.ts'

const { note, fail } = findingsAbout('database')

const attempts = 5

const pidOf = async (client: pg.Client): Promise<number> =>
  (await row<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid')).pid

export const pooler: Check = async ({ client, beside }, add) => {
  const announced = (client as unknown as { readonly processID: number }).processID
  if (announced === (await pidOf(client))) return
  const mode = await sharedBy(client, beside)
  if (mode === undefined)
    return add(
      note(
        'pooler',
        'a pooler stands before the server (PgBouncer, mostly). In what was tried it kept one server session for each client, as Lading needs',
      ),
    )
  add(
    fail(
      'pooler',
      mode === 'statement'
        ? 'a pooler stands before the server and refuses transactions (pool_mode = statement), so nothing can be loaded'
        : 'a pooler stands before the server and lends its sessions for one transaction (pool_mode = transaction). Locks, settings and temporary tables of Lading then stay with sessions that others get: a later load fails on them, indexes that were deferred count as in use, and the writes of others as our own',
      poolerCure,
    ),
  )
}

async function sharedBy(
  client: pg.Client,
  beside: Visit['beside'],
): Promise<'transaction' | 'statement' | undefined> {
  for (let n = 0; n < attempts; n++) {
    const ours = await pidOf(client)
    const seen = await beside(async (other) => {
      try {
        await other.query('BEGIN')
      } catch (error) {
        if (refusesTransactions(error)) return 'statement'
        // v8 ignore next -- a connection that breaks at this moment
        throw error
      }
      const theirs = await pidOf(other)
      await other.query('ROLLBACK')
      return theirs === ours ? 'transaction' : undefined
    })
    if (seen !== undefined) return seen
    if ((await pidOf(client)) !== ours) return 'transaction'
  }
  return undefined
}
