/** Which column of a table each field of a file fills. */
import type { TableColumn, TableFacts } from './table.ts'

export interface Match {
  readonly field: string
  readonly column: string
  /** Whether the names are the same, letter by letter. */
  readonly isExact: boolean
}

/**
 * A field fills the column of its name; or else the only one whose name differs in case, spaces and
 * punctuation alone; or else the only one that does so without a unit in brackets.
 */
export function matchFields(
  fields: readonly string[],
  { columns }: Pick<TableFacts, 'columns'>,
  { ignoreExtra = false }: { readonly ignoreExtra?: boolean | undefined },
): { readonly matched: readonly Match[]; readonly problems: readonly string[] } {
  const problems: string[] = []
  const names = new Set(columns.map(({ name }) => name))
  const exact = new Set(fields.filter((field) => names.has(field)))
  const free = columns.filter(({ name }) => !exact.has(name))
  const found = fields.flatMap((field): { field: string; column: TableColumn; isExact: boolean }[] => {
    const same = columns.find(({ name }) => name === field)
    const candidates = same === undefined ? candidatesOf(field, free) : [same]
    const [column, ...others] = candidates
    if (column !== undefined && others.length === 0) return [{ field, column, isExact: same !== undefined }]
    if (column !== undefined)
      problems.push(
        `field ${field} could be column ${candidates.map(({ name }) => name).join(' or ')} (write the name of one of them in the header)`,
      )
    else if (!ignoreExtra)
      problems.push(
        `field ${field} has no column (ALTER TABLE … ADD COLUMN ${snakeCase(field)} …, or --ignore-extra leaves it out)`,
      )
    return []
  })
  for (const [column, rivals] of Map.groupBy(found, (each) => each.column.name))
    if (rivals.length > 1)
      problems.push(
        `fields ${rivals.map(({ field }) => field).join(' and ')} could all be column ${column} (write its name above one of them, and rename the others)`,
      )
  const written = found.filter(({ column: { generated } }) => !generated)
  if (!ignoreExtra)
    for (const { field, column } of found)
      if (column.generated)
        problems.push(
          `field ${field} is column ${column.name}, which the table computes itself (--ignore-extra leaves it out)`,
        )
  if (written.length === 0 && problems.length === 0)
    problems.push('none of its fields has a column (if the first line is a record already: --no-header)')
  return {
    matched: written.map(({ field, column, isExact }) => ({ field, column: column.name, isExact })),
    problems,
  }
}

/** The columns whose names are the field's in the first of its forms that any column has. */
function candidatesOf(field: string, columns: readonly TableColumn[]): readonly TableColumn[] {
  for (const form of [bare(field), bare(withoutUnit(field))]) {
    const same = form === '' ? [] : columns.filter(({ name }) => bare(name) === form)
    if (same.length > 0) return same
  }
  return []
}

/** Letters and digits alone, in lower case. */
const bare = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')

const withoutUnit = (name: string): string => name.replaceAll(/\([^()]*\)|\[[^[\]]*\]/g, '')

/** A name as SQL has it without quotes: `Unit Price (EUR)` is `unit_price`. */
export const snakeCase = (name: string): string =>
  (bare(withoutUnit(name)) === '' ? name : withoutUnit(name))
    .normalize('NFC')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '')
