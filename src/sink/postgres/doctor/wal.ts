/** Settings of the write-ahead log that decide how long a load takes. */
import { count } from '../../../core/counted.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { bytes, milliseconds, type Setting, settingsOf } from './settings.ts'
import { type Check, row } from './visit.ts'

const { ok, note } = findingsAbout('database')

const gib = 1024 ** 3
const smallLog = 2 * gib
const smallBuffers = gib / 4
const reload = 'SELECT pg_reload_conf();'

interface Checkpoints {
  readonly timed: number
  readonly requested: number
  readonly since: string | null
}

export const logSettings: Check = async ({ client }, add) => {
  const settings = await settingsOf(client, [
    'max_wal_size',
    'checkpoint_timeout',
    'wal_compression',
    'wal_level',
    'shared_buffers',
    'full_page_writes',
  ])
  const of = (name: string) => settings.get(name) as Setting
  const size = of('max_wal_size')
  const timeout = of('checkpoint_timeout')
  const { timed, requested, since } = await checkpointsOf(client)
  const forced = requested > timed && requested > 10
  const said = forced
    ? `; ${count(requested)} of ${count(timed + requested)} checkpoints since ${since?.slice(0, 10) ?? 'the start'} came early for that`
    : ''
  const images = of('full_page_writes').value === 'on'
  if (bytes(size) < smallLog || forced)
    add(
      note(
        'max_wal_size',
        `max_wal_size is ${size.shown}: a large load forces a checkpoint for about each half of it${images ? ', and after each one every page that changes is logged whole' : ''}${said}`,
        `ALTER SYSTEM SET max_wal_size = '8GB'; ${reload}`,
      ),
    )
  if (milliseconds(timeout) < 5 * 60_000)
    add(
      note(
        'checkpoint_timeout',
        `checkpoint_timeout is ${timeout.shown}: each checkpoint makes the next changes of pages dearer`,
        `ALTER SYSTEM SET checkpoint_timeout = '15min'; ${reload}`,
      ),
    )
  if (images && of('wal_compression').value === 'off')
    add(
      note(
        'wal_compression',
        'wal_compression is off: whole pages in the log are not compressed. That matters for updates, and for indexes whose keys come in no order',
        `ALTER SYSTEM SET wal_compression = 'lz4'; ${reload}`,
      ),
    )
  const buffers = of('shared_buffers')
  if (bytes(buffers) < smallBuffers)
    add(
      note(
        'shared_buffers',
        `shared_buffers is ${buffers.shown}: indexes larger than that are read and written page by page, and Lading sorts new ones in at most a quarter of it`,
        "ALTER SYSTEM SET shared_buffers = '2GB'; -- a quarter of the memory; then restart the server",
      ),
    )
  if (of('wal_level').value === 'minimal')
    add(ok('wal_level', 'wal_level is minimal: indexes that are built at the end of a load are not logged'))
  else if (of('wal_level').value === 'logical')
    add(
      note(
        'wal_level',
        'wal_level is logical: updates and deletions are logged with their keys for subscribers',
      ),
    )
}

/** The view is another one since PostgreSQL 17. */
async function checkpointsOf(client: Parameters<typeof row>[0]): Promise<Checkpoints> {
  const { isNew } = await row<{ isNew: boolean }>(
    client,
    `SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'pg_stat_checkpointer') AS "isNew"`,
  )
  return row<Checkpoints>(
    client,
    isNew
      ? 'SELECT num_timed::int AS timed, num_requested::int AS requested, stats_reset::text AS since FROM pg_stat_checkpointer'
      : 'SELECT checkpoints_timed::int AS timed, checkpoints_req::int AS requested, stats_reset::text AS since FROM pg_stat_bgwriter',
  )
}
