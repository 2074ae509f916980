/** Settings as this session has them, and who has set them. */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { row } from './visit.ts'

export interface Setting {
  /** In the unit of the setting: of memory and time in what pg_settings says, -1 and 0 mean off. */
  readonly value: string
  readonly unit: string
  /** As SHOW writes it. */
  readonly shown: string
  /** pg_settings.source. */
  readonly source: string
}

export type Settings = ReadonlyMap<string, Setting>

export async function settingsOf(client: pg.Client, names: readonly string[]): Promise<Settings> {
  const { rows } = await client.query<Setting & { readonly name: string }>(
    `SELECT name, setting AS value, coalesce(unit, '') AS unit, current_setting(name) AS shown, source
     FROM pg_settings WHERE name = ANY ($1)`,
    [names],
  )
  return new Map(rows.map(({ name, ...setting }) => [name, setting]))
}

/** What undoes a setting where it was made. */
export async function resetOf(client: pg.Client, name: string, source: string): Promise<string> {
  const { role, database, standard } = await row<{ role: string; database: string; standard: string }>(
    client,
    'SELECT current_user::text AS role, current_database()::text AS database, boot_val AS standard FROM pg_settings WHERE name = $1',
    [name],
  )
  switch (source) {
    case 'user':
      return `ALTER ROLE ${identifier(role)} RESET ${name};`
    case 'database':
      return `ALTER DATABASE ${identifier(database)} RESET ${name};`
    case 'database user':
      return `ALTER ROLE ${identifier(role)} IN DATABASE ${identifier(database)} RESET ${name};`
    case 'client':
      return `leave ${name} out of the URL, or out of PGOPTIONS`
    case 'command line':
      return `start the server without -c ${name}`
    default:
      // RESET would take back only what ALTER SYSTEM itself has set.
      return `ALTER SYSTEM SET ${name} = '${standard}'; SELECT pg_reload_conf();`
  }
}

export const placeOf = (source: string): string =>
  ({
    user: ' for the role',
    database: ' for the database',
    'database user': ' for the role in this database',
  })[source] ?? ''

/** Milliseconds; 0 where the limit is off. */
export function milliseconds({ value, unit }: Setting): number {
  const factor = { ms: 1, s: 1000, min: 60_000 }[unit] ?? 1
  return Math.max(0, Number(value)) * factor
}

/** Bytes, of settings in units such as 8kB. */
export function bytes({ value, unit }: Setting): number {
  const [, count = '', name = ''] = /^(\d*)(B|kB|MB)$/.exec(unit) ?? []
  const factor = { B: 1, kB: 1024, MB: 1024 ** 2 }[name] ?? 1
  return Number(value) * factor * Number(count === '' ? 1 : count)
}
