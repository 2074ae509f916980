// node examples/nightly-job.ts, for cron or a timer of systemd
// Exits with 0 if every record was loaded, 3 if some were rejected, 75 if it is worth another try, else with the code of
// the error. Whatever stops it, the next run goes on where it stopped.
import { LadingError, load, openQueue, openSink } from 'lading'
import orders from './orders.ts'

const { DATABASE_URL = 'sqlite:./orders.db', INBOX = './inbox' } = process.env

try {
  await using queue = await openQueue('embedded:./orders-queue.db')
  await using sink = await openSink(DATABASE_URL)
  const { account, loadedNow } = await load({
    paths: [INBOX],
    model: orders,
    queue,
    sink,
    // A night is long enough for a database to come back, and no longer.
    signal: AbortSignal.timeout(6 * 3_600_000),
  })
  const { loaded, rejected } = account.totals
  console.log(JSON.stringify({ loadedNow, loaded, rejected, complete: account.isComplete }))
  process.exitCode = !account.isComplete ? 75 : rejected > 0 ? 3 : 0
} catch (error) {
  if (!(error instanceof LadingError)) throw error
  console.error(`${error.code}: ${error.message}; ${error.advice}`)
  process.exitCode = error.exitCode
}
