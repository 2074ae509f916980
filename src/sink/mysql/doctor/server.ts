/** Which server answers, over what connection, and what it takes. */
import { findingsAbout } from '../../../core/finding.ts'
import { median } from '../../measured.ts'
import type { Check } from './check.ts'

const { ok, note, warn, fail } = findingsAbout('database')

const roundTrips = 7
/** Milliseconds of a round trip from which on small batches wait more than they work. */
const slowMs = 20

export const connection: Check = async (session, add) => {
  const times: number[] = []
  for (let n = 0; n < roundTrips; n++) {
    const since = performance.now()
    await session.query('SELECT 1 AS one')
    times.push(performance.now() - since)
  }
  const ms = median(times)
  const [row] = await session.query('SELECT CURRENT_USER() AS user')
  const told = `database ${session.database} as ${String(row?.['user'])}, ${ms.toFixed(1)} ms a round trip`
  // v8 ignore else -- servers of the tests are near
  if (ms < slowMs) add(ok('connection', told))
  else
    add(
      note(
        'connection',
        `${told}: a batch takes several, so small ones mostly wait; consume nearer to the server, or with more consumers`,
        'lading load … --consumers 4',
      ),
    )
  const { socket } = session
  if ('encrypted' in socket) add(ok('encryption', 'the connection is encrypted (TLS)'))
  else if (/^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '127.'))
    add(ok('encryption', 'the connection stays on this machine'))
  // v8 ignore start -- servers of the tests listen on this machine alone
  else
    add(
      warn(
        'encryption',
        'password and records cross the network as plain text',
        'add ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE to the URL',
      ),
    )
  // v8 ignore stop
}

export const server: Check = async (session, add) => {
  add(ok('version', session.shown))
  const [row] = await session.query(
    'SELECT @@GLOBAL.read_only AS readOnly, @@GLOBAL.sql_mode AS mode, @@local_infile AS "local"',
  )
  if (Number(row?.['readOnly']) !== 0)
    add(
      fail(
        'read-only',
        'the server is read-only (a replica?): name the one that takes writes',
        'SET GLOBAL read_only = 0;',
      ),
    )
  if (!/STRICT_(ALL|TRANS)_TABLES/.test(String(row?.['mode'])))
    add(
      note(
        'sql_mode',
        'the server is not strict: Lading is, in its own sessions, but other programs may store cut and rounded values in the same tables',
        "SET GLOBAL sql_mode = concat(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES');",
      ),
    )
  if (Number(row?.['local']) === 0)
    add(
      warn(
        'local_infile',
        'the server takes no LOAD DATA LOCAL, by which rows travel fastest',
        'SET GLOBAL local_infile = 1;',
      ),
    )
}

/** Bytes that a record may have, and as much for its place in a statement. */
const wantedPacket = 16 * 1024 * 1024

export const size: Check = async (session, add) => {
  const shown = `${Math.round(session.maxPacket / 1024 / 1024)} MiB`
  if (session.maxPacket >= wantedPacket)
    add(ok('max_allowed_packet', `a record that is rejected may have ${shown}`))
  else
    add(
      warn(
        'max_allowed_packet',
        `the server takes statements of ${shown}: a larger record, or message, could not be kept as a reject or a dead letter, and its load would stop there`,
        'SET GLOBAL max_allowed_packet = 67108864;',
      ),
    )
}
