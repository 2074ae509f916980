/** Connections, time-outs and space that would end a load. */
import { identifier } from '../../../driver/postgres/identifier.ts'
import { diskOf, sizeText } from '../../../core/disk.ts'
import { quoted } from '../../../core/shell.ts'
import { isLocal } from './server.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { placeOf, resetOf, milliseconds, settingsOf } from './settings.ts'
import { type Add, type Check, row, type Visit } from './visit.ts'

const { ok, note, warn, fail } = findingsAbout('database')

export const limits: Check = async (visit, add) => {
  await connections(visit, add)
  await timeouts(visit, add)
  await space(visit, add)
}

/** Of the load itself: what waits for its end and builds indexes. */
const sessionsOfLoad = 3
const sessionsOfConsumer = 2

interface Connections {
  readonly most: number
  readonly reserved: number
  readonly used: number
  readonly ofRole: number
  readonly usedByRole: number
  readonly ofDatabase: number
  readonly usedInDatabase: number
  readonly superuser: boolean
  readonly role: string
  readonly database: string
}

async function connections({ client, questions }: Visit, add: Add): Promise<void> {
  const found = await row<Connections>(
    client,
    `SELECT current_setting('max_connections')::int AS most,
       current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       count(*)::int AS used, rolconnlimit AS "ofRole", count(*) FILTER (WHERE usename = current_user)::int AS "usedByRole",
       datconnlimit AS "ofDatabase", count(*) FILTER (WHERE a.datname = current_database())::int AS "usedInDatabase", rolsuper AS superuser,
       current_user::text AS role, current_database()::text AS database
     FROM pg_roles CROSS JOIN pg_database d LEFT JOIN pg_stat_activity a ON backend_type = 'client backend'
     WHERE rolname = current_user AND d.datname = current_database()
     GROUP BY rolconnlimit, datconnlimit, rolsuper`,
  )
  const needed = sessionsOfLoad + sessionsOfConsumer * questions.consumers
  const own = 1
  const free = (limit: number, used: number) => (limit < 0 ? Number.POSITIVE_INFINITY : limit - used + own)
  const left: readonly (readonly [number, string, string])[] = [
    [
      found.most - (found.superuser ? 0 : found.reserved) - found.used + own,
      `of max_connections ${found.most}, ${found.used} are used${found.superuser ? '' : ` and ${found.reserved} reserved`}`,
      'ALTER SYSTEM SET max_connections = 200; -- then restart the server',
    ],
    [
      free(found.superuser ? -1 : found.ofRole, found.usedByRole),
      `role ${found.role} may have ${found.ofRole} and has ${found.usedByRole}`,
      `ALTER ROLE ${identifier(found.role)} CONNECTION LIMIT -1;`,
    ],
    [
      free(found.superuser ? -1 : found.ofDatabase, found.usedInDatabase),
      `database ${found.database} takes ${found.ofDatabase} and has ${found.usedInDatabase}`,
      `ALTER DATABASE ${identifier(found.database)} CONNECTION LIMIT -1;`,
    ],
  ]
  const [least, why, cure] = left.toSorted(([a], [b]) => a - b)[0] as (typeof left)[number]
  const wanted = `a load with ${questions.consumers} consumer${questions.consumers === 1 ? '' : 's'} opens up to ${needed} sessions`
  if (least >= needed) add(ok('connections', `${wanted}, and ${least} are free: ${why}`))
  else
    add(
      (least < sessionsOfConsumer ? fail : warn)(
        'connections',
        `${wanted}, and ${Math.max(0, least)} are free: ${why}`,
        cure,
      ),
    )
}

/** Lading sets its own limits for statements and locks of a batch, and none for building indexes. */
const ending: readonly (readonly [name: string, leastMs: number, what: string])[] = [
  ['statement_timeout', 30_000, 'a question to the ledger that takes longer is ended and asked again'],
  [
    'idle_in_transaction_session_timeout',
    10_000,
    'a batch whose bytes take longer on the way is ended and tried again',
  ],
  [
    'transaction_timeout',
    10 * 60_000,
    'batches that take longer are tried again, and building the indexes of a large table never ends',
  ],
  [
    'idle_session_timeout',
    60_000,
    'sessions that wait for messages are ended, and with them what a load has announced to others',
  ],
]

async function timeouts({ client }: Visit, add: Add): Promise<void> {
  const settings = await settingsOf(
    client,
    ending.map(([name]) => name),
  )
  let found = false
  for (const [name, leastMs, what] of ending) {
    const setting = settings.get(name)
    if (setting === undefined || milliseconds(setting) === 0) continue
    found = true
    const detail = `${name} is ${setting.shown}${placeOf(setting.source)}: ${what}`
    const isShort = milliseconds(setting) < leastMs
    add(
      isShort
        ? warn('time-outs', detail, await resetOf(client, name, setting.source))
        : note('time-outs', detail),
    )
  }
  if (!found) add(ok('time-outs', 'none would end a load'))
}

const littleSpace = 2 * 1024 ** 3

/** Known only of a server on this machine whose folder our role may ask for. */
async function space({ client }: Visit, add: Add): Promise<void> {
  if (!isLocal(client.host)) return undefined
  const { folder } = await row<{ folder: string | null }>(
    client,
    `SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS folder`,
  )
  if (folder === null) return undefined
  try {
    const { free } = diskOf(folder)
    // v8 ignore next -- a file system that states no size holds no database
    if (free === undefined) return undefined
    const detail = `${sizeText(free)} are free where ${folder} lies`
    add(
      free < littleSpace
        ? warn(
            'space',
            `${detail}: a load that fills the disk waits until there is room`,
            `du -xhd1 ${quoted(folder)}`,
          )
        : ok('space', detail),
    )
  } catch {
    // In a container, or on another machine behind a tunnel, the folder is not here.
  }
}
