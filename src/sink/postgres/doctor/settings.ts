/** Settings as this session has them, and who has set them. */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'

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

/** For the statement that undoes a setting where it was made. */
export async function resetOf(client: pg.Client, name: string, source: string): Promise<string> {
  const { rows } = await client.query<{ role: string; database: string }>(
    'SELECT current_user::text AS role, current_database()::text AS database',
  )
  const { role = '', database = '' } = rows[0] ?? {}
  if (source === 'user') return `ALTER ROLE ${identifier(role)} RESET ${name};`
  if (source === 'database') return `ALTER DATABASE ${identifier(database)} RESET ${name};`
  if (source === 'database user')
    return `ALTER ROLE ${identifier(role)} IN DATABASE ${identifier(database)} RESET ${name};`
  return `ALTER SYSTEM RESET ${name}; SELECT pg_reload_conf();`
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
