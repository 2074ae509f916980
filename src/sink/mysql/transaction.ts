import { isServerError } from './errors.ts'
import type { Session } from './session.ts'

/** ER_LOCK_DEADLOCK */
const deadlock = 1213
/** Times that the server may choose this session to end a deadlock; then the caller waits before it tries again. */
const mostDeadlocks = 5

/**
 * Runs `work` in a transaction, and again where it met a deadlock: sessions that wait for a key get into one when
 * the session that holds it takes its keys back.
 */
export async function transaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  for (let deadlocks = 0; ; deadlocks++) {
    try {
      return await runOnce(session, work)
    } catch (error) {
      if (!isServerError(error) || error.errno !== deadlock || deadlocks === mostDeadlocks) throw error
    }
  }
}

/**
 * After some errors only the statement is undone, so that what failed is always rolled back as a whole. A session that
 * cannot do that is dropped: the next START TRANSACTION would commit what is open.
 */
async function runOnce<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.run('START TRANSACTION')
  let result: T
  try {
    result = await work()
  } catch (error) {
    // Fails too if the connection is gone; the error that led here is the one that counts.
    await session.run('ROLLBACK').catch(() => session.drop())
    throw error
  }
  await session.run('COMMIT')
  return result
}
