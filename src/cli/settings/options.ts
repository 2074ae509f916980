/** Options that several commands share, so that they have the same name, default and meaning everywhere. */
import { InvalidArgumentError, Option } from 'commander'
import { type DedupKey, defaultDedupKey, isDedupKey } from '../../consumer/decode/identity.ts'
import { type FormatName, formatNames, type FormatOptions } from '../../format/registry.ts'
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

/** A load as a person names it; `findLoad` finds it. */
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

export const toOption = () =>
  new Option('--to <url>', `target database: ${sinkUrls}`).env('LADING_TO').default(defaultSinkUrl)

export const queueOption = () =>
  new Option('--queue <url>', `queue: ${queueUrls}`).env('LADING_QUEUE').default(defaultQueueUrl)

export const modelOption = () =>
  new Option(
    '--model <model>',
    "model of the records: 'records', 'user_logins', or the path of a module that exports one",
  )
    .env('LADING_MODEL')
    .default('records')

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

export const allowRejectsOption = () =>
  new Option('--allow-rejects', 'exit with 0 even if records were rejected')

export const rootOption = () =>
  new Option('--root <folder>', 'folder of the files that messages may refer to (--carry reference)').default(
    '.',
  )

export const carryOptions = () => [
  new Option(
    '--carry <what>',
    'content of messages: the bytes, or a reference to the file, which consumers read below their --root',
  )
    .choices(['bytes', 'reference'])
    .default('bytes'),
  rootOption(),
]

export interface CarryFlags {
  readonly carry: Carry
  readonly root: string
}

const formatOption = () =>
  new Option(
    '--format <name>',
    'format of the files (default: by the suffix of each file, else csv)',
  ).choices(formatNames)

export const produceOptions = () => [
  formatOption(),
  new Option('--delimiter <character>', "character between CSV cells (default: ','); '\\t' is a tab"),
  new Option('--quote <character>', "character around CSV cells (default: '\"')"),
  new Option('--no-header', "the files have no header; cells are in the order of the model's columns"),
  new Option(
    '--chunk-bytes <bytes>',
    'target size of a message (default: 1 MiB, or less if the queue accepts less)',
  ).argParser(whole(1)),
  ...carryOptions(),
  ignoreExtraOption(),
  new Option('--name <name>', 'name of standard input; the same bytes under another name are another load'),
  new Option(
    '--again',
    'load the same files a second time: as additional rows, or over rows with the same key',
  ),
  stateOption(),
]

export interface FormatFlags {
  readonly format?: FormatName
  readonly delimiter?: string
  readonly quote?: string
  readonly header: boolean
}

export const formatSettings = ({ format, delimiter, quote, header }: FormatFlags): FormatOptions => ({
  ...(format && { format }),
  dialect: {
    ...(delimiter !== undefined && { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
    ...(quote !== undefined && { quote }),
    ...(!header && { header }),
  },
})
