/** Shared by the commands for rejects and dead letters. */
import { Option } from 'commander'
import { codes, LadingError } from '../../core/errors.ts'
import type { Ledger, NamedLoad, RejectFilter, StoredReject } from '../../sink/ledger.ts'
import type { Sink, Verdict } from '../../sink/sink.ts'
import { chosenKept, findKept, keptRejects } from '../../review/kept.ts'
import { type Model, tableName } from '../../model/model.ts'
import { nameOf, shownTable } from '../../model/table.ts'
import type { KeptModels, KeptModelsOptions } from '../../review/models.ts'
import { requireDatabase } from '../settings/files.ts'
import { hint } from '../settings/hint.ts'
import { lastModel } from '../settings/last.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import { loadName, type TableFlags, tableSettings, toOption } from '../settings/options.ts'
import { counted, print, shortId, visible } from '../terminal/output.ts'

/** Opens an existing database; with a model, also creates or checks its table. */
export async function withSink(
  to: string,
  model: Model | undefined,
  work: (sink: Sink) => Promise<void>,
): Promise<void> {
  requireDatabase(to)
  const { openSink } = await import('../../sink/registry.ts')
  await using sink = await openSink(to)
  await sink.prepare(model)
  await work(sink)
}

interface KeptFlags extends TableFlags {
  readonly to: string
  readonly model?: string | undefined
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean
}

/** What the options, and the last run, say of the models of loads. */
export async function keptModels({ pipeline, ...flags }: Omit<KeptFlags, 'to'>) {
  const settings = tableSettings(flags)
  const last = lastModel()
  const [shipped, model, remembered] = await Promise.all([
    loadModel(usualModel),
    flags.model === undefined || flags.model === last.model ? undefined : loadModel(flags.model),
    loadModel(last.model ?? usualModel),
  ])
  const usual = new Map([shipped, remembered].map((each) => [tableName(each), each]))
  if (last.pipeline !== undefined) usual.set(last.pipeline, remembered)
  if (pipeline !== undefined && !usual.has(pipeline)) usual.set(pipeline, shipped)
  return { ...settings, model, usual }
}

/** Says how to load the reject: a command to paste, unless it needs a model that nothing names. */
export async function replayOf(
  reject: StoredReject,
  { model, usual }: Pick<KeptModelsOptions, 'model' | 'usual'>,
): Promise<string> {
  const [{ choicesIn }, { layoutOf }] = await Promise.all([
    import('../../review/models.ts'),
    import('../../review/redecode.ts'),
  ])
  const { id, pipeline } = reject
  const isDerived = choicesIn(layoutOf(reject)) !== undefined
  if (isDerived || (model === undefined && usual.has(pipeline)))
    return `load it: ${hint('rejects replay', id)}`
  if (model === undefined)
    return `load it: rejects replay ${id} with --pipeline ${visible(pipeline)} and its --model`
  const named = pipeline === tableName(model) ? [] : ['--pipeline', pipeline]
  return `load it: ${hint('rejects replay', id, ...named)}`
}

/** The pipelines of the model and of the table that are given. */
interface Given {
  readonly ofModel: string | undefined
  readonly ofTable: string | undefined
}

/** With the models of what is kept. */
export async function withKeptModels(
  flags: KeptFlags,
  work: (sink: Sink, models: KeptModels, given: Given) => Promise<void>,
): Promise<void> {
  const [{ KeptModels }, { model, table: wanted, ...others }] = await Promise.all([
    import('../../review/models.ts'),
    keptModels(flags),
  ])
  await withSink(flags.to, model, async (sink) => {
    const facts = wanted && (await sink.table?.(wanted))
    const table = facts === undefined ? wanted : nameOf(facts)
    const given = { ofModel: model && tableName(model), ofTable: table && shownTable(table) }
    await work(sink, new KeptModels(sink, { ...others, model, table, pipeline: flags.pipeline }), given)
  })
}

/** What is loaded without a model needs none. */
export const withoutModel = ({ pipeline }: { readonly pipeline: string }): Verdict => ({
  kind: 'refused',
  code: 'WRONG_PIPELINE',
  detail: `it belongs to pipeline ${pipeline}, whose model is not given`,
})

export const withLedger = (to: string, work: (ledger: Ledger) => Promise<void>): Promise<void> =>
  withSink(to, undefined, ({ ledger }) => work(ledger))

export interface ChoiceFlags {
  readonly to: string
  readonly load?: string
  readonly code?: string
  readonly column?: string
  readonly search?: string
}

/** Options for the ledger and the rejects in it. */
export const choiceOptions = (): Option[] => [
  toOption(),
  new Option(
    '--load <load>',
    'only of this load: the beginning of its id, or its file, of which all loads are meant',
  ).argParser(loadName),
  new Option('--code <code>', 'only with this code'),
  new Option('--column <column>', 'only of this column of the model'),
  new Option('--search <text>', 'only with this text in the record or the reason'),
]

export const choiceOf = async (
  ledger: Ledger,
  { load, code, column, search }: ChoiceFlags,
): Promise<RejectFilter> => ({
  loadId: load === undefined ? undefined : await theLoads(ledger, load),
  code: code?.toUpperCase(),
  column,
  search,
})

const isWholeId = (name: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name)

async function theLoads(ledger: Ledger, name: string): Promise<readonly string[]> {
  const loads = await findLoads(ledger, name)
  if (loads.length === 0) throw new LadingError('NOT_FOUND', `there is no load ${name} in the ledger`)
  return loads
}

/** The load with this id, or with this beginning of its id; all loads of the file of this name. */
export async function findLoads(ledger: Ledger, name: string): Promise<readonly string[]> {
  if (isWholeId(name)) return [name.toLowerCase()]
  const named = await ledger.named(name)
  const ofFile = named.filter((load) => isCalled(name, load))
  if (new Set(ofFile.map(({ source }) => source)).size === 1) return ofFile.map(({ loadId }) => loadId)
  return [theOne(name, named) ?? []].flat()
}

type Nameable = Omit<NamedLoad, 'sha256'>

const isCalled = (name: string, { source }: Nameable): boolean =>
  name === source || name.endsWith(`/${source}`)

/** Same rule as the ledger's `named`. */
export const answersTo =
  (name: string) =>
  (load: Nameable): boolean =>
    load.loadId.startsWith(name.toLowerCase()) || isCalled(name, load)

const mostNamed = 5

/** Undefined if there is none. A file name takes precedence over the beginning of an id. */
export function theOne(name: string, loads: readonly Nameable[]): string | undefined {
  const files = loads.filter((load) => isCalled(name, load))
  const [one, ...others] = files.length > 0 ? files : loads
  if (one === undefined || others.length === 0) return one?.loadId
  const all = [one, ...others].map(
    ({ loadId, source, startedAt }) => `${shortId(loadId)} (${visible(source)}, ${startedAt.slice(0, 16)})`,
  )
  const more = all.length > mostNamed ? ' …' : ''
  const which = `${all.slice(0, mostNamed).join(', ')}${more}`
  throw new LadingError(
    'USAGE',
    `${counted(all.length, 'load')} match ${visible(name)}; choose one by its id: ${which}`,
  )
}

/** The rejects with these ids, or else the open ones that match the filter, in pages. */
export const chosenRejects = (ledger: Ledger, ids: readonly number[], filter: RejectFilter) =>
  chosenKept(keptRejects, ledger, ids, filter)

export const findReject = (ledger: Ledger, id: number): Promise<StoredReject> =>
  findKept(keptRejects, ledger, id)

/** What a replay without ids does not try: it is of loads with a model or a pipeline of their own, which is not named. */
export class PassedOver {
  readonly #counts = new Map<string, number>()

  add({ pipeline }: { readonly pipeline: string }): void {
    this.#counts.set(pipeline, (this.#counts.get(pipeline) ?? 0) + 1)
  }

  /** `isNone`: nothing was replayed, of the pipeline `asked` if one is chosen. */
  print(what: 'reject' | 'dead letter', isNone: boolean, asked: string | undefined): void {
    const within = (pipeline: string) =>
      ` in pipeline ${visible(pipeline)}, which --model, --table and --pipeline choose`
    for (const [pipeline, n] of this.#counts) print(`left: ${counted(n, what)}${within(pipeline)}`)
    if (isNone && this.#counts.size === 0)
      print(`no ${what}s to replay${asked === undefined ? '' : within(asked)}`)
  }
}

export function refusalOf({ code, detail }: Verdict & { readonly kind: 'refused' }): string {
  const advice = code === 'WRONG_PIPELINE' ? ` (${codes[code].advice})` : ''
  return `${code}: ${visible(detail)}${advice}`
}
