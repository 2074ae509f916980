/** Which server answers, over what connection, and what its clock and its time zones say. */
import type pg from 'pg'
import { shownIdentifier } from '../../../driver/postgres/identifier.ts'
import { streamOf } from '../../../driver/postgres/silence.ts'
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import { zoneRelease } from '../../../model/zones.ts'
import { median } from '../../measured.ts'
import { type Check, row } from './visit.ts'

const { ok, note, warn, fail } = findingsAbout('database')

/** `made.ts` reads pg_attribute.attcompression, which is there from 14 on. */
const leastVersion = 14
const roundTrips = 7
/** Milliseconds of a round trip from which on small batches wait more than they work. */
const slowMs = 20

interface Server {
  readonly version: string
  readonly major: number
  readonly role: string
  readonly database: string
  readonly address: string | null
  readonly port: number | null
  readonly inRecovery: boolean
  readonly readOnly: string
  readonly encoding: string
}

export const server: Check = async ({ client }, add) => {
  const found = await row<Server>(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
       current_user::text AS role, current_database()::text AS database, host(inet_server_addr()) AS address, inet_server_port() AS port,
       pg_is_in_recovery() AS "inRecovery", current_setting('default_transaction_read_only') AS "readOnly", current_setting('server_encoding') AS encoding`,
  )
  const ms = await roundTrip(client)
  const where = found.address === null ? 'a Unix socket' : `${found.address}:${found.port}`
  const told = `database ${found.database} at ${where} as ${found.role}, ${ms.toFixed(1)} ms a round trip`
  if (ms < slowMs) add(ok('connection', told))
  else
    add(
      note(
        'connection',
        `${told}: a batch takes two, so small ones mostly wait; consume nearer to the server, or with more consumers`,
        'lading load … --consumers 4',
      ),
    )
  const isSecure = 'encrypted' in streamOf(client)
  if (isSecure) add(ok('encryption', 'the connection is encrypted (TLS)'))
  else if (isLocal(client.host)) add(ok('encryption', 'the connection stays on this machine'))
  else
    add(
      warn(
        'encryption',
        'password and records cross the network as plain text',
        'add ?sslmode=require to the URL (if the server has none: ALTER SYSTEM SET ssl = on, with a certificate)',
      ),
    )
  // v8 ignore if -- a server as old as that is not here
  if (found.major < leastVersion)
    add(fail('version', `PostgreSQL ${found.version}: Lading needs ${leastVersion} or newer`))
  else add(ok('version', `PostgreSQL ${found.version}`))
  if (found.inRecovery)
    add(
      fail(
        'read-only',
        'the server is a standby, which takes no writes: name the primary',
        'SELECT pg_promote(), if this is to become the primary',
      ),
    )
  else if (found.readOnly === 'on')
    add(
      fail(
        'read-only',
        'transactions are read-only by default (default_transaction_read_only)',
        `ALTER ROLE ${shownIdentifier(found.role)} RESET default_transaction_read_only; ALTER DATABASE ${shownIdentifier(found.database)} RESET default_transaction_read_only;`,
      ),
    )
  if (found.encoding !== 'UTF8')
    add(
      fail(
        'encoding',
        `the database has the encoding ${found.encoding}, and Lading needs UTF8`,
        `CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8';`,
      ),
    )
}

/** Of a socket, too. */
export const isLocal = (host: string): boolean => /^(\/|localhost$|127\.|::1$)/.test(host)

async function roundTrip(client: pg.Client): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < roundTrips; n++) {
    const since = performance.now()
    await client.query('SELECT 1')
    times.push(performance.now() - since)
  }
  return median(times)
}

/** Seconds. A round trip blurs less than that. */
const clocksAgree = 2

export const clock: Check = async ({ client }, add) => {
  const sent = Date.now()
  const { at } = await row<{ at: string }>(client, 'SELECT extract(epoch FROM clock_timestamp())::text AS at')
  const seconds = Number(at) - (sent + Date.now()) / 2000
  if (Math.abs(seconds) < clocksAgree) return add(ok('clock', "the server's clock and this machine's agree"))
  add(
    note(
      'clock',
      `the server's clock is ${Math.abs(seconds).toFixed(0)} s ${seconds > 0 ? 'ahead of' : 'behind'} this machine's: times in the ledger and in the log differ so much`,
      'timedatectl set-ntp true',
    ),
  )
}

/** Zones whose rules have changed since 2022, and moments at which older data gives another offset. */
const changed: readonly (readonly [zone: string, at: string])[] = [
  ['Asia/Amman', '2023-01-15T12:00:00Z'],
  ['America/Mexico_City', '2023-07-01T12:00:00Z'],
  ['Africa/Cairo', '2023-07-01T12:00:00Z'],
  ['America/Nuuk', '2024-01-15T12:00:00Z'],
  ['America/Scoresbysund', '2024-07-15T12:00:00Z'],
  ['Asia/Almaty', '2024-07-01T12:00:00Z'],
  ['America/Asuncion', '2025-07-01T12:00:00Z'],
  ['Europe/Berlin', '2026-07-01T12:00:00Z'],
  ['America/Vancouver', '2026-12-15T12:00:00Z'],
]

export const zones: Check = async ({ client }, add) => {
  const { rows } = await client.query<{ zone: string; minutes: number }>(
    `SELECT name AS zone, (extract(epoch FROM (at AT TIME ZONE name) - (at AT TIME ZONE 'UTC')) / 60)::int AS minutes
     FROM pg_timezone_names JOIN unnest($1::text[], $2::timestamptz[]) AS asked (zone, at) ON zone = name`,
    [changed.map(([zone]) => zone), changed.map(([, at]) => at)],
  )
  add(zonesFinding(new Map(rows.map(({ zone, minutes }) => [zone, minutes]))))
}

/** `theirs`: minutes east of UTC by the server's rules, of the zones that it knows. */
export function zonesFinding(theirs: ReadonlyMap<string, number>): Finding {
  const differing = changed.filter(([zone, at]) => theirs.get(zone) !== offsetOf(zone, at))
  if (differing.length === 0)
    return ok('time zones', `the server's rules agree with those of ${zoneRelease} here`)
  const shown = differing.map(
    ([zone, at]) =>
      `${zone} ${at.slice(0, 10)}: ${shownOffset(theirs.get(zone))} there, ${shownOffset(offsetOf(zone, at))} here`,
  )
  return note(
    'time zones',
    `local times in files are read by the data of this Node (${zoneRelease}), and the server shows times by other rules: ${shown.join('; ')}`,
    'update tzdata on the server (or Node here), then restart it',
  )
}

const shownOffset = (minutes: number | undefined): string =>
  minutes === undefined
    ? 'unknown'
    : `${minutes < 0 ? '-' : '+'}${[Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) => String(n).padStart(2, '0')).join(':')}`

/** Minutes east of UTC. */
function offsetOf(timeZone: string, at: string): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(
    new Date(at),
  )
  const [, sign, hours, minutes] =
    /GMT(?:([+-])(\d\d):(\d\d))?/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '') ?? []
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
