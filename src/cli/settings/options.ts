/** Options that several commands share, so that they have the same name, default and meaning everywhere. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { type DedupKey, defaultDedupKey, isDedupKey } from '../../consumer/decode/identity.ts'
import { envelopes, type InsideOptions } from '../../format/registry.ts'
import type { ConflictPolicy } from '../../model/model.ts'
import type { TableChoices } from '../../model/of-table.ts'
import type { StatedTypes } from '../../infer/profile/propose.ts'
import type { WantedTable } from '../../model/table.ts'
import { zoneProblem } from '../../model/zones.ts'
import type { Carry } from '../../source/carry.ts'
import { defaultQueueUrl, queueUrls } from '../../queue/registry.ts'
import { defaultSinkUrl, sinkUrls } from '../../sink/registry.ts'

/** A whole number of at least `least`. */
export const whole = (least: number) => (text: string) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new InvalidArgumentError(`Not a whole number of ${least} or more.`)
  return value
}

/** Parses an argument that may be repeated. */
export const wholes = (least: number) => (text: string, earlier: readonly number[]) => [
  ...earlier,
  whole(least)(text),
]

export function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Not a number above 0.')
  return value
}

/** A load as a person names it; `findLoads` finds it. */
export function loadName(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError(
    'Name a load by the beginning of its id, as lading verify shows it, or by its file.',
  )
}

function dedupKey(text: string): DedupKey {
  if (isDedupKey(text)) return text
  throw new InvalidArgumentError('Not message-id, content or field:NAME.')
}

/** Groups of options may have some in common. */
export function addOnce(command: Command, options: readonly Option[]): void {
  const names = new Set<string>()
  for (const option of options)
    if (!names.has(option.name()) && names.add(option.name())) command.addOption(option)
}

export const toOption = () =>
  new Option('--to <url>', `target database: ${sinkUrls}`).env('LADING_TO').default(defaultSinkUrl)

export const queueOption = () =>
  new Option('--queue <url>', `queue between producers and consumers; ${queueUrls}`)
    .env('LADING_QUEUE')
    .default(defaultQueueUrl)

export const modelOption = () =>
  new Option(
    '--model <model>',
    "module that exports the model of the records; or 'records' or 'user_logins', which ship with Lading",
  )
    .env('LADING_MODEL')
    .default('records')

/** Without a default: what no model says, the files and the table say. */
export const loadModelOption = () =>
  new Option(
    '--model <model>',
    "module that exports the model of the records; or 'records' or 'user_logins', which ship with Lading (default: derived from the table and the files)",
  ).env('LADING_MODEL')

/** Without a default: only messages that hold records have one. */
export const consumeModelOption = () =>
  new Option(
    '--model <model>',
    "module that exports the model of the records; or 'records' or 'user_logins', which ship with Lading (default: 'records'; with --s3-events derived from the table and the objects)",
  ).env('LADING_MODEL')

/** Without a default: a load without a model has one that its table says. */
export const keptModelOption = () =>
  new Option(
    '--model <model>',
    "model of the load, where it had one (default: 'records' for pipeline records, else derived from the table)",
  ).env('LADING_MODEL')

const namePart = /"(?:[^"]|"")+"|[^".]+/.source
const qualifiedName = new RegExp(`^(?:(${namePart})\\.)?(${namePart})$`)

/** `[schema.]table`; quotes, as in SQL, around a name with a point in it or with capital letters that count. */
export function tableNamed(text: string): WantedTable {
  const [, schema, table] = qualifiedName.exec(text) ?? []
  if (table === undefined)
    throw new LadingError('USAGE', `--table is a name such as orders or shop.orders, and not ${text}`)
  const plain = (name: string) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name)
  return {
    ...(schema !== undefined && { schema: plain(schema) }),
    table: plain(table),
    ...(!table.startsWith('"') && { anyCase: true }),
  }
}

export function columnsNamed(text: string): readonly string[] {
  const columns = text.split(',').map((name) => name.trim())
  if (columns.includes(''))
    throw new LadingError('USAGE', `--key is one name or several, separated by commas, and not ${text}`)
  return columns
}

/** Of an option whose text is a list: given again, it goes on. */
export const listed = (text: string, earlier?: string): string =>
  earlier === undefined ? text : `${earlier},${text}`

export const tableOption = () =>
  new Option(
    '--table <name>',
    '[schema.]name of the table, without a model (default: the name of the file); in double quotes, its case counts',
  )

export const keyOption = () =>
  new Option(
    '--key <columns>',
    'columns that identify a row, without a model (default: the primary key of the table)',
  ).argParser(listed)

function zoneNamed(zone: string): string {
  const problem = zoneProblem(zone)
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`)
  return zone
}

export const tableOptions = () => [
  tableOption(),
  keyOption(),
  new Option(
    '--on-conflict <policy>',
    'what becomes of a record whose key is there already, without a model (default: error)',
  ).choices(['error', 'skip', 'update', 'merge']),
  new Option(
    '--zone <zone>',
    'what times without an offset mean in a timestamptz, without a model: Europe/Berlin, UTC or +02:00; and the time that a timestamp keeps of those with one',
  ).argParser(zoneNamed),
  ...typeOptions(),
]

/** Of the columns of a new table. */
export const typeOptions = () => [
  new Option(
    '--types <types>',
    'text: all columns of a new table are text (default: what their values are)',
  ).choices(['text']),
  new Option('--columns <types>', 'types in a new table: id:bigint,price:numeric(12,2)').argParser(listed),
]

/** As typed, so that a hint can repeat them. */
export interface TypeFlags {
  readonly types?: 'text'
  readonly columns?: string
}

/** The comma within `numeric(12,2)` separates nothing, nor does one within quotes. */
const betweenTypes = /,(?=(?:[^"]*"[^"]*")*[^"]*$)(?![^(]*\))/
const stating = /^(?:"((?:[^"]|"")+)"|(.+)):([^:]+)$/s

/** Throws `USAGE` where they cannot be read. */
export function typeSettings({ types, columns }: TypeFlags): StatedTypes {
  const entries = columns?.split(betweenTypes).map((each) => stating.exec(each.trim()))
  if (entries?.includes(null) === true)
    throw new LadingError(
      'USAGE',
      `--columns is FIELD:TYPE, separated by commas, in double quotes a field with a comma in it, and not ${columns}`,
    )
  const stated = entries?.map(
    (entry) => [entry?.[1]?.replaceAll('""', '"') ?? entry?.[2] ?? '', entry?.[3] ?? ''] as const,
  )
  const names = stated?.map(([name]) => name)
  const twice = names?.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new LadingError('USAGE', `--columns states the type of ${twice} twice`)
  return { ...(types && { types }), ...(stated && { columns: Object.fromEntries(stated) }) }
}

/** As typed, so that a hint can repeat them. */
export interface TableFlags extends TypeFlags {
  readonly table?: string
  readonly key?: string
  readonly onConflict?: ConflictPolicy
  readonly zone?: string
}

/** Throws `USAGE` where they cannot be read, and beside a model, which says what they would. */
export function tableSettings(
  flags: TableFlags & { readonly model?: string | undefined; readonly ignoreExtra?: boolean },
) {
  const { table, key, onConflict, zone, types, columns, model, ignoreExtra } = flags
  const given = Object.entries({ table, key, 'on-conflict': onConflict, zone, types, columns }).find(
    ([, value]) => value !== undefined,
  )
  if (model !== undefined && given !== undefined)
    throw new LadingError('USAGE', `--${given[0]} and --model do not go together: the model says it`)
  const choices: TableChoices = {
    ...(key !== undefined && { key: columnsNamed(key) }),
    ...(onConflict !== undefined && { onConflict }),
    ...(ignoreExtra === true && { ignoreExtra }),
    ...(zone !== undefined && { zone }),
  }
  return { table: table === undefined ? undefined : tableNamed(table), choices, types: typeSettings(flags) }
}

export const pipelineOption = () =>
  new Option('--pipeline <name>', "name of the pipeline in the ledger (default: the model's table)")

export const jsonOption = () => new Option('--json', 'print JSON')

export const stateOption = () =>
  new Option('--state <file>', "file with the producer's state between runs").default('./.lading/producer.db')

export const ignoreExtraOption = () => new Option('--ignore-extra', 'ignore fields that are not in the model')

export const dedupKeyOption = () =>
  new Option(
    '--dedup-key <which>',
    'key that identifies external messages: message-id, content, or field:NAME for each record',
  )
    .default(defaultDedupKey)
    .argParser(dedupKey)

export const insideOptions = () => [
  new Option(
    '--records <path>',
    "path to the records in JSON, such as 'data[]'; of messages and of JSON files",
  ),
  new Option(
    '--unwrap <envelope>',
    `envelopes around the records, the outermost first, for example sns,s3: ${envelopes.join(', ')}`,
  ).argParser(listed),
]

export interface InsideFlags {
  readonly records?: string
  readonly unwrap?: string
}

export const insideSettings = ({ records, unwrap }: InsideFlags): InsideOptions => ({
  records,
  unwrap: unwrap?.split(','),
})

export const allowRejectsOption = () =>
  new Option('--allow-rejects', 'exit with 0 even if records were rejected')

export const rootOption = () =>
  new Option(
    '--root <folder>',
    'folder of the files that messages may refer to (--carry reference), or its URL: s3://BUCKET/FOLDER',
  ).default('.')

const carryOption = () =>
  new Option(
    '--carry <what>',
    'content of messages: the bytes, or a reference to the file, which consumers read below their --root',
  ).choices(['bytes', 'reference'])

export const carryOptions = () => [carryOption().default('bytes'), rootOption()]

/** Without a choice, the queue decides. */
export const loadCarryOption = () => {
  const option = carryOption()
  option.description += ' (default: bytes; with a queue in a file, the place of the file on this machine)'
  return option
}

export interface CarryFlags {
  /** Undefined where a load is left to choose. */
  readonly carry?: Carry
  readonly root: string
}

export const produceOptions = () => [
  new Option(
    '--chunk-bytes <bytes>',
    'target size of a message (default: 1 MiB, or less if the queue accepts less)',
  ).argParser(whole(1)),
  ...carryOptions(),
  ignoreExtraOption(),
  new Option('--name <name>', 'name of standard input; the same bytes under another name are another load'),
  new Option(
    '--again',
    'load the same files a second time; as additional rows, or over rows with the same key',
  ),
  new Option(
    '--read-all',
    'read every file, also those that the file system says have not changed since they were loaded',
  ),
  stateOption(),
]
