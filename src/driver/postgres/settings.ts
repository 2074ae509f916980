/** What every session of Lading is set to. */

/**
 * The name is set here, because in the connection's options the URL would override it, and Lading finds its sessions by
 * it. Then the settings that decide how a text is read, so that values of a `custom` type and defaults mean the same
 * whatever a role or database prefers. Two settings stay: `search_path` selects the table of a model without a schema,
 * and `lc_monetary` decides what a stored `money` means.
 */
const settings = {
  application_name: 'lading',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '60s',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  xmloption: 'content',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  timezone_abbreviations: 'Default',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // How triggers of ours know the writes of others.
  'lading.session': 'ours',
} as const

export const settingNames: readonly string[] = Object.keys(settings)

/** What a session sends first. */
export const sessionSettings = Object.entries(settings)
  .map(([name, value]) => `SET ${name} = '${value}'`)
  .join('; ')

export const ownPid = 'SELECT pg_backend_pid() AS pid'
