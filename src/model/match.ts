/** Which column of a table each field of a file fills. */
import { listed } from '../core/listed.ts'
import { canBeWritten, maxNameBytes, type TableColumn, type TableFacts } from './table.ts'

export interface Match {
  readonly field: string
  readonly column: string
  /** Whether the names are the same, letter by letter. */
  readonly isExact: boolean
}

interface Matches {
  readonly matched: readonly Match[]
  readonly problems: readonly string[]
}

interface MatchOptions {
  readonly ignoreExtra?: boolean | undefined
}

/** Columns that a message names. */
const mostNamed = 8

/**
 * A field fills the column of its name; or else the only one whose name differs in case, spaces and
 * punctuation alone; or else the only one that does so without a unit in brackets. Where that is unclear, and
 * the table has the columns that would be made for the fields and no further one of their names, each fills the
 * one that was made for it.
 */
export function matchFields(
  fields: readonly string[],
  { columns }: Pick<TableFacts, 'columns'>,
  options: MatchOptions,
): Matches {
  const names = new Set(columns.map(({ name }) => name))
  const exact = new Set(fields.filter((field) => names.has(field)))
  const free = columns.filter(({ name }) => !exact.has(name))
  const matches = matchesOf(fields, (field) => candidatesOf(field, free), columns, options)
  const made = new Map(columnNames(fields).map((name, index) => [fields[index], name]))
  const ours = new Set(made.values())
  const isMade = (name: string) =>
    names.has(name) && numberedOf(name, columns).every((other) => ours.has(other.name))
  if (matches.problems.length === 0 || ![...made.values()].every(isMade)) return matches
  return matchesOf(
    fields,
    (field) => columns.filter(({ name }) => name === made.get(field)),
    columns,
    options,
  )
}

function matchesOf(
  fields: readonly string[],
  candidatesFor: (field: string) => readonly TableColumn[],
  columns: readonly TableColumn[],
  { ignoreExtra = false }: MatchOptions,
): Matches {
  const problems: string[] = []
  const names = columnNames(fields)
  const found = fields.flatMap((field, index): { field: string; column: TableColumn; isExact: boolean }[] => {
    const same = columns.find(({ name }) => name === field)
    const candidates = same === undefined ? candidatesFor(field) : [same]
    const [column, ...others] = candidates
    if (column !== undefined && others.length === 0) return [{ field, column, isExact: same !== undefined }]
    if (column !== undefined)
      problems.push(
        `field ${field} could be column ${candidates.map(({ name }) => name).join(' or ')} (write the name of one of them in the header)`,
      )
    else if (!ignoreExtra)
      problems.push(
        `field ${field} has no column (ALTER TABLE … ADD COLUMN ${names[index]} …, or --ignore-extra leaves it out)`,
      )
    return []
  })
  for (const [column, rivals] of Map.groupBy(found, (each) => each.column.name))
    if (rivals.length > 1)
      problems.push(
        `fields ${rivals.map(({ field }) => field).join(' and ')} could each be column ${column} (write its name above one of them, and rename the others)`,
      )
  const written = found.filter(({ column }) => canBeWritten(column))
  if (!ignoreExtra)
    for (const { field, column } of found)
      if (!canBeWritten(column))
        problems.push(
          `field ${field} is column ${column.name}${column.generated ? ', which the table computes itself' : `: ${column.type.problem?.()}`} (--ignore-extra leaves it out)`,
        )
  const isStrange = fields.every(
    (field) => !columns.some(({ name }) => name === field) && candidatesFor(field).length === 0,
  )
  const matched = written.map(({ field, column, isExact }) => ({ field, column: column.name, isExact }))
  // The fields are not named: they may be values.
  if (isStrange || (written.length === 0 && problems.length === 0))
    return {
      matched,
      problems: [
        `none of its fields has a column; those of the table are ${listed(
          columns.map(({ name }) => name),
          mostNamed,
        )} (if the first line is a record already: --no-header)`,
      ],
    }
  return { matched, problems }
}

/**
 * The columns whose names are the field's in the first of its forms that any column has. `A+` and `A-` have one: where
 * there are an `a` and an `a_2`, it may be either.
 */
function candidatesOf(field: string, columns: readonly TableColumn[]): readonly TableColumn[] {
  for (const form of [bare(field), bare(withoutUnit(field))]) {
    const same = form === '' ? [] : columns.filter(({ name }) => bare(name) === form)
    if (same.length > 0)
      return hasSigns(field) ? [...same, ...same.flatMap(({ name }) => numberedOf(name, columns))] : same
  }
  return columns.filter(({ name }) => name === columnName(field))
}

/** Whether its letters and digits are not all of its name. */
const hasSigns = (field: string): boolean => !/^[\p{L}\p{N}]+(?:[\s_./-]+[\p{L}\p{N}]+)*$/u.test(field.trim())

/** `a_2`, `a_3` of `a`. */
const numberedOf = (name: string, columns: readonly TableColumn[]): readonly TableColumn[] =>
  columns.filter(
    (other) =>
      other.name.startsWith(`${name}_`) && /^[2-9]$|^[1-9]\d+$/.test(other.name.slice(name.length + 1)),
  )

/** Letters and digits alone, in lower case. */
const bare = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')

const withoutUnit = (name: string): string => name.replaceAll(/\([^()]*\)|\[[^[\]]*\]/g, '')

/** A name as SQL has it without quotes: `Unit Price (EUR)` is `unit_price`. */
export const snakeCase = (name: string): string =>
  wholeSnakeCase(bare(withoutUnit(name)) === '' ? name : withoutUnit(name))

const wholeSnakeCase = (name: string): string =>
  name
    .normalize('NFC')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_|_$/g, '')

/** Of PostgreSQL, in every table. */
const systemColumns = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'])

/** In snake case, as much of it as a name in a database may have; empty for a name of signs alone. */
export const sqlName = (name: string): string => cut(snakeCase(name), maxNameBytes)

/** `2020` is `_2020`: SELECT 2020 is a number, and JavaScript puts keys that are whole numbers first. */
function columnName(field: string, name = sqlName(field)): string {
  if (/^\p{N}/u.test(name)) return cut(`_${name}`, maxNameBytes)
  return systemColumns.has(name) ? `${name}_2` : name
}

function cut(name: string, most: number): string {
  let bytes = 0
  let end = 0
  for (const point of name) {
    bytes += Buffer.byteLength(point)
    if (bytes > most) return name.slice(0, end)
    end += point.length
  }
  return name
}

/**
 * The names that a new table gives to the columns of the fields: in snake case, and by number for a field of
 * signs alone. Fields that differ by their units alone keep these: `price_eur`, `price_usd`. Of fields with one name, the one
 * that is written so keeps it, and the others are numbered by their own order, not that of the file. None gets a name
 * that would be found for another field.
 */
export function columnNames(fields: readonly string[]): readonly string[] {
  const short = Map.groupBy(fields, (field) => columnName(field))
  const names = fields.map((field, index) => {
    const name = columnName(field)
    const isShared = (short.get(name)?.length ?? 0) > 1
    return (
      (isShared ? columnName(field, cut(wholeSnakeCase(field), maxNameBytes)) : name) || `column_${index + 1}`
    )
  })
  const used = new Set(fields.filter((field, index) => names[index] === field))
  const others = [...fields.keys()].filter((index) => names[index] !== fields[index])
  const bares = new Set(fields.map(bare))
  const isAnothers = (name: string, field: string) => bares.has(bare(name)) && bare(name) !== bare(field)
  const byField = (a: number, b: number) => ((fields[a] as string) < (fields[b] as string) ? -1 : 1)
  for (const index of others.toSorted(byField)) {
    const name = names[index] as string
    let free = name
    for (let count = 2; used.has(free) || isAnothers(free, fields[index] as string); count++)
      free = numbered(name, `_${count}`)
    used.add(free)
    names[index] = free
  }
  return names
}

const numbered = (name: string, suffix: string): string => cut(name, maxNameBytes - suffix.length) + suffix
