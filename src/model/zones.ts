/**
 * The time zones that a model may use: names of the tz database, and fixed offsets. Intl accepts more: short
 * ids of early Java (`BST` is Asia/Dhaka, `AST` is America/Anchorage) and ids of ICU (`SystemV/PST8`), which
 * are obsolete.
 */
import type { ColumnSpec } from './columns.ts'

/** Parts before the first slash of tz database names, including links of older releases. */
const regions = new Set(
  'Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US'.split(
    ' ',
  ),
)

/** tz database names without a slash. */
const plainNames = new Set(
  (
    'UTC UCT GMT GMT0 GMT+0 GMT-0 Greenwich Universal Zulu CET EET MET WET EST5EDT CST6CDT MST7MDT PST8PDT Cuba Egypt Eire GB GB-Eire ' +
    'Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya Navajo NZ NZ-CHAT Poland Portugal PRC ROC ROK Singapore Turkey W-SU'
  ).split(' '),
)

/** In the tz database these are fixed offsets, which is rarely what is meant. */
const standardTimes: Readonly<Record<string, string>> = { EST: '-05:00', MST: '-07:00', HST: '-10:00' }

const fixedOffset = /^[+-](?:0\d|1[0-5]):[0-5]\d$/

/** Why the name is invalid and what to write instead; undefined if it is valid. */
export function zoneProblem(zone: string): string | undefined {
  if (fixedOffset.test(zone)) return undefined
  const offset = standardTimes[zone.toUpperCase()]
  if (offset !== undefined)
    return `'${zone}' has no summer time: write ${offset} if that is meant, or a name such as America/New_York`
  const slash = zone.indexOf('/')
  const isKnown = slash < 0 ? hasName(plainNames, zone) : hasName(regions, zone.slice(0, slash))
  if (isKnown && isInIntl(zone)) return undefined
  const hint = /^[a-z]{2,5}$/i.test(zone) ? 'abbreviations mean several zones: ' : ''
  return `'${zone}' is not an IANA time zone: ${hint}write a name such as Europe/Berlin, or an offset such as +02:00`
}

/** Ignores case, as Intl does. */
const hasName = (names: ReadonlySet<string>, wanted: string): boolean =>
  names.has(wanted) || names.values().some((name) => name.toLowerCase() === wanted.toLowerCase())

function isInIntl(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** The release of this process's time-zone data, such as `2026c`. */
export const zoneRelease: string = process.versions['tz'] ?? 'unknown'

/** Whether values of the type may depend on a zone. */
export const isZoned = ({ kind }: ColumnSpec['type']): boolean =>
  kind === 'timestamptz' || kind === 'timestamp'

/** The column's zone, if its values depend on the release of the time-zone data. */
export function variableZone({ type, generated }: ColumnSpec): string | undefined {
  const zone = generated?.value === 'processedOn' ? generated.zone : isZoned(type) ? type.zone : undefined
  return zone === undefined || fixedOffset.test(zone) || /^(?:utc|gmt|etc\/.*)$/i.test(zone)
    ? undefined
    : zone
}
