/** Files that are to be loaded: how they are written, whether they fit the table, whether they were loaded before. */
import { count, counted } from '../core/counted.ts'
import { sizeText } from '../core/disk.ts'
import { failure, type Finding, findingsAbout, throwStop } from '../core/finding.ts'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import { quoted } from '../core/shell.ts'
import { shownUrl } from '../core/url.ts'
import { isUrl } from '../source/root.ts'
import type { Reading } from '../format/reading.ts'
import { formatOfPath } from '../format/registry.ts'
import { decodeSource, encodeHead } from '../infer/decoded.ts'
import { type Unmodelled, unmodelled } from '../load/unmodelled.ts'
import type { UnmodelledOptions } from '../load/unmodelled-options.ts'
import { type Model, tableName } from '../model/model.ts'
import type { RowBuffer } from '../model/writer.ts'
import { planSource } from '../producer/plan.ts'
import type { ReadSource } from '../producer/reading.ts'
import { openSources } from '../producer/sources.ts'
import { type SinkExamination, withoutChanges } from '../sink/examination.ts'
import { balance } from '../sink/receipt.ts'
import type { Sink } from '../sink/sink.ts'

export interface FilesOptions extends Omit<
  UnmodelledOptions,
  'sink' | 'isDry' | 'onEvent' | 'startTimeoutMs'
> {
  readonly model?: Model | undefined
  readonly pipeline?: string | undefined
}

export interface FilesFound extends AsyncDisposable {
  readonly findings: readonly Finding[]
  /** Of the records. */
  readonly model: Model | undefined
  readonly sample: ((rows: RowBuffer) => Promise<number>) | undefined
}

const { ok, note, warn } = findingsAbout('files')

/** Files that are looked at one by one. */
const mostFiles = 20
const sampledRecords = 5_000
const mib = 1024 ** 2

const shownPath = (path: string): string => (isUrl(path) ? shownUrl(path) : path)

/** Without a database, the files alone. */
export async function lookAtFiles(
  options: FilesOptions,
  sink: SinkExamination['sink'] | undefined,
): Promise<FilesFound> {
  const kept = new AsyncDisposableStack()
  const found: Finding[] = []
  const { paths, model: stated } = options
  const dispose = { [Symbol.asyncDispose]: () => kept.disposeAsync() }
  const nothing = { findings: found, model: stated, sample: undefined, ...dispose }
  if (paths.length === 0) return nothing
  if (paths.includes('-')) {
    const detail = 'it can be read once, so it is left to the load: lading load - --dry-run looks at it'
    found.push(note('standard input', detail))
    return nothing
  }
  try {
    const derived = stated === undefined ? kept.use(await derivedModel(options, sink)) : undefined
    const model = stated ?? (derived as Unmodelled).model
    for (const decision of derived?.decisions ?? []) found.push(note('reading', decision))
    const reading = derived && { readingOf: derived.readingOf, namesColumns: true }
    const looked = { ...options, ...reading, model }
    const first = await lookAtEach(looked, sink, found)
    const sample =
      first && ((rows: RowBuffer) => encodeHead(first, withoutChanges(model), rows, sampledRecords, looked))
    return { ...nothing, model, sample }
  } catch (thrown) {
    found.push(failure('files', listed(paths.map(shownPath), 3), thrown))
    return nothing
  }
}

function derivedModel(options: FilesOptions, sink: SinkExamination['sink'] | undefined): Promise<Unmodelled> {
  const table: NonNullable<Sink['table']> = async (...asked) => sink?.table?.(...asked)
  return unmodelled({ ...options, sink: { table, prepare: refuse }, isDry: true, startTimeoutMs: 1 })
}

/** Returns the first, of which records are taken. */
async function lookAtEach(
  options: Looked,
  sink: SinkExamination['sink'] | undefined,
  found: Finding[],
): Promise<ReadSource | undefined> {
  const sources = await openSources(options, (message) => void found.push(warn('left out', message)))
  let first: ReadSource | undefined
  for (let index = 0; index < Math.min(sources.size, mostFiles); index++) {
    const source = await sources.at(index)
    first ??= source
    found.push(...(await lookAt(source, options, sink)))
  }
  if (sources.size > mostFiles)
    found.push(note('files', `${count(sources.size - mostFiles)} more files were not looked at`))
  return first
}

const refuse = async () => {
  // v8 ignore next -- the doctor reads what is there, and asks for nothing else
  throw new LadingError('INTERNAL', 'nothing is made while one looks')
}

type Looked = FilesOptions & { readonly model: Model; readonly namesColumns?: boolean }

async function lookAt(
  source: ReadSource,
  options: Looked,
  sink: SinkExamination['sink'] | undefined,
): Promise<Finding[]> {
  const { choices: { ignoreExtra = false } = {}, model, signal, namesColumns } = options
  try {
    const { records, rejected, codes } = await decodeSource(source, model, {
      ignoreExtra,
      namesColumns,
      isHead: true,
      signal,
    })
    const written = writtenAs(source.path, source.reading)
    const size = sizeText(await source.size())
    const told = `${source.name}: ${written}, ${size}; the first ${counted(records, 'record')}`
    const to = `table ${tableName(model)}`
    const first =
      rejected === 0
        ? ok(
            'file',
            records === 0
              ? `${source.name}: ${written}, ${size}, no record`
              : `${told} ${records === 1 ? 'fits' : 'fit'} ${to}`,
          )
        : warn(
            'file',
            `${told} include ${count(rejected)} that would be rejected: ${Object.entries(codes)
              .map(([code, n]) => `${count(n)} ${code}`)
              .join(', ')}`,
            `lading load ${quoted(source.path)} --dry-run`,
          )
    return [first, ...(await loadedBefore(source, options, sink))]
  } catch (thrown) {
    return [failure('files', source.name, thrown)]
  }
}

function writtenAs(path: string, { format = formatOfPath(path), encoding, dialect }: Reading): string {
  const { delimiter = ',', header } = dialect ?? {}
  const parts: string[] = [format]
  if (format === 'csv' && delimiter !== ',')
    parts.push(`separated by ${delimiter === '\t' ? 'tabs' : delimiter}`)
  if (encoding !== undefined) parts.push(encoding)
  if (header === false) parts.push('without a header')
  return parts.join(' ')
}

/** The whole file is read only where the ledger knows one of its name. */
async function loadedBefore(
  source: ReadSource,
  options: Looked,
  sink: SinkExamination['sink'] | undefined,
): Promise<Finding[]> {
  const { model, signal } = options
  const pipeline = options.pipeline ?? tableName(model)
  try {
    if (sink === undefined || (await sink.ledger.isThere?.({ signal })) === false) return []
    const [load] = await sink.ledger.newest(pipeline, [source.name], { signal })
    if (load === undefined) return []
    const { sha256 } = await planSource(source, { ...options, chunkBytes: mib }, () => undefined)
    const when = `${load.startedAt.slice(0, 16).replace('T', ' ')} (load ${load.loadId.slice(0, 8)})`
    const told = (detail: string, cure?: string) => [note('loaded before', `${source.name}: ${detail}`, cure)]
    if (sha256 !== load.sha256)
      return told(`a file of this name was loaded ${when}, with other bytes: a load adds all of its records`)
    const [receipt] = await sink.ledger.receipts({ loads: [load.loadId] }, { signal })
    const { open } = receipt === undefined ? { open: 0 } : balance(receipt)
    const command = `lading load ${quoted(source.path)}`
    return open > 0
      ? told(
          `a load of it was begun ${when}; ${counted(open, 'record')} without a verdict, and the same command goes on`,
          command,
        )
      : told(`the same bytes were loaded ${when}, and a load would skip them`, `${command} --again`)
  } catch (thrown) {
    throwStop(thrown)
    // The rights on the ledger are a finding of the database.
    return []
  }
}
