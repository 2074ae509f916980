/** A table for sources that have none: every record is looked at, and then the table is made. */
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { retrying } from '../core/retry.ts'
import { asStated, mixedForms, modelOf, requireColumns, withNotations } from '../infer/inspect.ts'
import type { Profile } from '../infer/profile/profile.ts'
import { propose, type Proposal, type StatedTypes } from '../infer/profile/propose.ts'
import { count, counted } from '../core/counted.ts'
import { shownType } from '../infer/profile/found-type.ts'
import { withColumnNames } from '../infer/sniffed.ts'
import { requireFields } from '../model/fields.ts'
import { snakeCase } from '../model/match.ts'
import type { Model } from '../model/model.ts'
import { maxNameBytes, nameOf, shownTable, type TableName } from '../model/table.ts'
import { statedReading } from '../producer/reading.ts'
import { type Head, hintsOf, requireAnswers } from './readings.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

export interface NewTable {
  readonly model: Model
  /** The heads, with what was found of their values. */
  readonly heads: readonly Head[]
  readonly decisions: readonly string[]
}

/** Proposes the table, from every record of the sources, whose heads are those that are looked at. */
export async function newTable(
  options: UnmodelledOptions,
  { schema, table }: TableName,
  heads: readonly Head[],
  profile: Profile,
): Promise<NewTable> {
  const { types = {}, choices = {} } = options
  requireName({ schema, table })
  const path = heads.map(({ source }) => source.path).join(', ')
  requireRoom(options, path, profile.columns.length)
  const forms = await mixedForms(profile, heads, { ...types, signal: options.signal })
  const proposal = withInstants(propose(profile, types, forms), types, choices.zone)
  requireColumns(path, proposal)
  requireFields(
    options,
    proposal.columns.map(({ field }) => field),
  )
  requireAnswers(path, proposal.questions, types, statedReading(options))
  const { onConflict = 'error' } = choices
  if (onConflict !== 'error' && choices.key === undefined)
    throw new LadingError(
      'USAGE',
      `--on-conflict ${onConflict} needs to know what identifies a row of the new table: --key and one or more of ${namesOf(proposal)}`,
    )
  const model = modelOf(table, proposal, choices.key, schema)
  const decisions = [
    `table ${shownTable({ schema, table })} is new: ${counted(proposal.columns.length, 'column')}`,
    ...shownColumns(proposal),
    ...hintsOf(proposal.columns.map(({ question }) => question)),
  ]
  const fields = proposal.columns.map(({ field }) => field)
  const found = heads.map((head) => ({
    ...head,
    fields: head.fields ?? fields,
    // As the next run has it, for which the table is there: it may have to finish the load.
    reading: asStated(head.reading, proposal) ?? withNotations(head.reading, proposal),
  }))
  return { model, heads: found, decisions }
}

/** Makes instants of local times whose zone is stated. */
function withInstants(
  proposal: Proposal,
  { columns: stated = {} }: StatedTypes,
  zone: string | undefined,
): Proposal {
  if (zone === undefined) return proposal
  const isStated = (name: string) => Object.hasOwn(stated, name)
  const columns = proposal.columns.map((column) =>
    column.type.name !== 'timestamp' || isStated(column.field) || isStated(column.name)
      ? column
      : { ...column, type: { ...column.type, name: 'timestamptz' as const } },
  )
  return { ...proposal, columns }
}

/** Throws `HEADER_MISMATCH` where a table of the database cannot have so many columns. */
export function requireRoom({ sink }: Pick<UnmodelledOptions, 'sink'>, path: string, columns: number): void {
  const { mostColumns = Number.POSITIVE_INFINITY } = sink
  if (columns <= mostColumns) return
  throw new LadingError(
    'HEADER_MISMATCH',
    `${path} has ${counted(columns, 'column')}, and a table of this database at most ${count(mostColumns)}: make a table of those that you need, and load into it with --ignore-extra`,
  )
}

/** Throws `USAGE` where a database would cut the name. */
function requireName(name: TableName): void {
  const long = Object.values(nameOf(name)).find((part) => Buffer.byteLength(part) > maxNameBytes)
  if (long !== undefined)
    throw new LadingError(
      'USAGE',
      `--table: a name has at most ${maxNameBytes} bytes, and ${long} has ${Buffer.byteLength(long)}`,
    )
}

/** Columns without names are named by their number. */
export function withNames<Named extends Head>(head: Named): Named {
  const { cells, fields, reading } = head
  if (cells === undefined || fields === undefined) return head
  return { ...head, cells: undefined, reading: withColumnNames(reading, fields) }
}

const mostNamed = 20

const namesOf = ({ columns }: Pick<Proposal, 'columns'>): string =>
  listed(
    columns.map(({ name }) => name),
    mostNamed,
  )

const mostColumns = 40

function shownColumns({ columns }: Proposal): string[] {
  const shown = columns.slice(0, mostColumns).map(({ field, name, type, reason }) => {
    const from = snakeCase(field) === field ? '' : ` from ${JSON.stringify(field)}`
    const notation = type.notation === undefined ? '' : ` written ${JSON.stringify(type.notation)}`
    return `column ${name}: ${shownType(type)}${from}${notation}, because ${reason.because}`
  })
  const more = columns.length - mostColumns
  return more > 0 ? [...shown, `and ${counted(more, 'more column')}: lading inspect shows them`] : shown
}

/** Creates the table, or makes it again where Lading has made it and it is empty. */
export async function makeTable(options: UnmodelledOptions, model: Model): Promise<void> {
  const { sink, signal, onEvent = ignoreEvents, startTimeoutMs: deadlineMs = 30_000 } = options
  await retrying(async (connectMs) => sink.prepare(model, { signal, connectMs }), {
    signal,
    onEvent,
    deadlineMs,
  })
}
