/** Creates what is missing of the ledger. */
import { LadingError } from '../../core/errors.ts'
import { collations } from './ddl.ts'
import { literal } from './literal.ts'
import { migrations } from './schema.ts'
import type { Session } from './session.ts'

/** 0 where there is no ledger. */
export async function ledgerVersion(session: Session): Promise<number> {
  const there = await session.query(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'lading_migration'",
  )
  if (there.length === 0) return 0
  const [row] = await session.query('SELECT coalesce(max(version), 0) AS version FROM lading_migration')
  return Number(row?.['version'])
}

/** Of the first ledger that a release has made. Fewer are one in the making: each is a transaction of its own. */
const firstSteps = 5

export const isLedgerThere = async (session: Session): Promise<boolean> =>
  (await ledgerVersion(session)) >= firstSteps

/** What makes a table is a transaction of its own, so each step is noted by itself, and may be there already. */
export async function prepareLedger(session: Session): Promise<void> {
  const steps = migrations(collations[session.product])
  if ((await ledgerVersion(session)) === steps.length) return
  await alone(session, async () => {
    const version = await ledgerVersion(session)
    if (version > steps.length)
      throw new LadingError(
        'LEDGER_NEWER',
        `the ledger has version ${version}, this lading knows ${steps.length}`,
      )
    await session.run(
      'CREATE TABLE IF NOT EXISTS lading_migration (version INT NOT NULL PRIMARY KEY) ENGINE=InnoDB',
    )
    for (const [index, step] of steps.entries()) {
      if (index < version) continue
      await session.run(step.replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'))
      await session.run(`INSERT INTO lading_migration VALUES (${index + 1})`)
    }
  })
}

const mostWaitSeconds = 30

/** Runs `work` while no other session that prepares does: two consumers that start together must not both make a table. */
export async function alone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  // Names of locks are those of the whole server.
  const name = literal(`lading/${session.database}`.slice(0, 64))
  const [row] = await session.query(`SELECT GET_LOCK(${name}, ${mostWaitSeconds}) AS got`)
  // v8 ignore next -- another process has to prepare for half a minute
  if (Number(row?.['got']) !== 1) throw new LadingError('SINK_BUSY', 'another process prepares the database')
  try {
    await session.limitIdleness(true)
    return await work()
  } finally {
    const released = session.query(`SELECT RELEASE_LOCK(${name})`)
    await released.then(() => session.limitIdleness(false)).catch(() => undefined)
  }
}
