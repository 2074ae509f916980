/** What the user needs and lacks, each as the GRANT that gives it. */
import { findingsAbout } from '../../../core/finding.ts'
import { isServerError } from '../errors.ts'
import { ledgerVersion } from '../ledger-tables.ts'
import { literal } from '../literal.ts'
import { migrations } from '../schema.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'

const { ok, note, warn, fail } = findingsAbout('database')

/** ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR */
const denied: readonly number[] = [1044, 1142, 1143, 1227]

/** Whether the statement fails for want of a right. */
export async function isDenied(session: Session, sql: string): Promise<boolean> {
  try {
    await session.query(sql)
    return false
  } catch (error) {
    if (isServerError(error) && denied.includes(error.errno)) return true
    throw error
  }
}

const needed = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE']

export async function grantee(session: Session): Promise<string> {
  const [row] = await session.query('SELECT CURRENT_USER() AS user')
  return String(row?.['user'])
    .split('@')
    .map((part) => literal(part))
    .join('@')
}

/** What is granted for all databases and for this one, to the user and to its role. */
async function granted(session: Session, who: string): Promise<readonly string[]> {
  const roles = session.product === 'mariadb' ? `, concat('''', CURRENT_ROLE(), '''@''''')` : ''
  const whom = `grantee IN (${literal(who)}${roles})`
  const rows = await session.query(
    `SELECT privilege_type AS granted FROM information_schema.user_privileges WHERE ${whom}
     UNION SELECT privilege_type FROM information_schema.schema_privileges WHERE ${whom} AND DATABASE() LIKE table_schema`,
  )
  return rows.map((row) => String(row['granted']))
}

export const rights: Check = async (session, add) => {
  const who = await grantee(session)
  const has = await granted(session, who)
  const lacking = needed.filter((right) => !has.includes(right))
  const on = `ON "${session.database}".* TO ${who};`.replaceAll('"', '`')
  const staging = 'CREATE TEMPORARY TABLE lading_doctor (one INT)'
  if (await isDenied(session, staging))
    add(
      fail(
        'rights',
        `${who} may make no temporary table, through which records go whose keys may exist`,
        `GRANT CREATE TEMPORARY TABLES ${on}`,
      ),
    )
  else await session.run('DROP TEMPORARY TABLE lading_doctor')
  if (lacking.length === 0) add(ok('rights', `${who} may make and use the ledger`))
  else
    add(
      warn(
        'rights',
        `${who} has no ${lacking.join(', ')} in database ${session.database} by a grant that can be seen`,
        `GRANT ${needed.join(', ')}, DROP, INDEX, ALTER, LOCK TABLES, CREATE TEMPORARY TABLES ${on}`,
      ),
    )
}

export const ledger: Check = async (session, add) => {
  const version = await ledgerVersion(session)
  const known = migrations('').length
  if (version === 0)
    return add(note('ledger', 'there is none yet: the first load makes it, in tables lading_…'))
  if (version > known)
    return add(
      fail(
        'ledger',
        `LEDGER_NEWER: it has version ${version}, and this Lading knows ${known}`,
        'npm install lading@latest',
      ),
    )
  const [row] = await session.query('SELECT count(*) AS open FROM lading_load WHERE NOT complete')
  const open = Number(row?.['open'])
  return add(
    open === 0
      ? ok('ledger', `version ${version}, every load is complete`)
      : warn(
          'ledger',
          `${open} load${open === 1 ? ' is' : 's are'} not complete: at work, or interrupted`,
          'lading verify',
        ),
  )
}
