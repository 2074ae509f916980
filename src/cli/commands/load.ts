import { shownUrl } from '../../core/url.ts'
import { exampleSinkUrl, placeOfSink } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { tellAll } from '../../core/events.ts'
import { tableName } from '../../model/model.ts'
import { type ConsumeFlags, consumeOptions, consumeSettings } from './consume.ts'
import { requirePaths } from '../settings/environment.ts'
import { withExamples } from '../settings/examples.ts'
import { consumers, consumersAsTold, defaultConsumers } from '../run/default-consumers.ts'
import { requireTwoFiles } from '../settings/files.ts'
import { hint, sameCommand } from '../settings/hint.ts'
import { httpOptions, openWatch } from '../run/http.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import {
  jsonOption,
  loadCarryOption,
  loadModelOption,
  pipelineOption,
  produceOptions,
  queueOption,
  type TableFlags,
  tableOptions,
  tableSettings,
} from '../settings/options.ts'
import { say } from '../terminal/log.ts'
import {
  count,
  counted,
  paceOf,
  print,
  printFirstRejects,
  printJson,
  printReceipts,
  printVerdict,
  receiptJson,
  receiptsExit,
  shortId,
  visible,
} from '../terminal/output.ts'
import { readingOptions } from '../settings/reading.ts'
import { standardInput } from '../../source/registry.ts'
import type { DeferIndexes } from '../../load/indexes.ts'
import type { Unmodelled } from '../../load/unmodelled.ts'
import type { UnmodelledOptions } from '../../load/unmodelled-options.ts'
import type { LoadResult } from '../../load/load.ts'
import type { Account } from '../../sink/account.ts'
import type { Ledger, Receipt } from '../../sink/ledger.ts'
import { printLeftOut } from '../run/left-out.ts'
import { printLeft } from '../run/left.ts'
import { openWorkingQueue, startLeftMs } from '../run/queue.ts'
import { type ProduceFlags, produceSettings } from './produce.ts'
import { reporter } from '../terminal/report.ts'
import { reporting } from '../terminal/progress.ts'
import { stopSignal } from '../run/signals.ts'
import { consumerProcesses } from '../run/workers.ts'

interface Flags extends ProduceFlags, ConsumeFlags, TableFlags {
  readonly model?: string
  readonly consumers?: number
  readonly deferIndexes: DeferIndexes
  readonly fresh?: boolean
  readonly dryRun?: boolean
}

export function loadCommand(command: Command): Command {
  command
    .argument('[path...]', "files, folders, patterns; '-' is standard input")
    .addOption(
      new Option(
        '--consumers <n>',
        'number of consumers; more than one run as separate processes (default: chosen from cores, file size and database)',
      ).argParser(consumers),
    )
  const deferOption = new Option(
    '--defer-indexes <when>',
    'build the indexes of an empty table, including its key, after the load, if the database can; auto: for files of 32 MiB and more',
  )
    .choices(['auto', 'always', 'never'])
    .default('auto')
  const freshOption = new Option(
    '--fresh',
    'delete what the ledger has of these files, including their rejects, and load them from scratch; for an emptied or dropped table (--again keeps what was loaded)',
  ).conflicts('again')
  const dryOption = new Option(
    '--dry-run',
    'decode every record, show what would be loaded and rejected, and write nothing',
  )
  const options = [
    dryOption,
    deferOption,
    freshOption,
    loadModelOption(),
    loadCarryOption(),
    ...tableOptions(),
    queueOption(),
    pipelineOption(),
    ...consumeOptions(),
    ...readingOptions(),
    ...produceOptions(),
    ...httpOptions(),
    jsonOption(),
  ]
  const names = new Set<string>()
  for (const option of options)
    if (!names.has(option.name()) && names.add(option.name())) command.addOption(option)
  withExamples(command, [
    ['load data', 'the CSV files below a folder'],
    [`load 'in/*.csv.gz' --to ${exampleSinkUrl} --consumers 4`],
    ["load export.csv --delimiter ';' --model ./my-model.ts"],
    ['load events.ndjson.gz --model ./my-model.ts'],
    ['load - --format json --model ./my-model.ts < export.json'],
  ])
  return command.action(async (named: string[], flags: Flags) => {
    const paths = requirePaths(named, command, process.env)
    requireTwoFiles(flags.queue, flags.to)
    const wantedTable = tableSettings(flags)
    const { consumers: wanted } = flags
    const consumersOf =
      wanted === undefined ? await defaultConsumers(paths, flags) : () => consumersAsTold(wanted)
    if (consumersOf(false).processes > 1 && placeOfSink(flags.to).writers === 'self') {
      throw new LadingError('USAGE', `only one process can use ${shownUrl(flags.to)}; omit --consumers`)
    }
    if (flags.dryRun === true) return await rehearse(paths, flags, wantedTable)
    const [{ load }, { openSink }, stated] = await Promise.all([
      import('../../load/load.ts'),
      import('../../sink/registry.ts'),
      flags.model === undefined ? undefined : loadModel(flags.model),
    ])
    const signal = stopSignal()
    const since = performance.now()
    await using watch = await openWatch('load', flags)
    using report = reporting('load')
    const onEvent = tellAll(report.onEvent, watch.listener)
    const startsAt = performance.now()
    await using sink = await openSink(flags.to)
    // Opened before the types are inferred, which reads every record: an unreachable queue fails the load at once.
    await using queue = await openWorkingQueue(flags, onEvent, signal)
    watch.see(queue)
    const settings = { ...produceSettings(paths, flags), ...consumeSettings(flags), sink, signal, onEvent }
    await using found =
      stated === undefined ? await findModel({ ...settings, ...wantedTable }, flags.startTimeout) : undefined
    const model = stated ?? (found as Unmodelled).model
    const isShared = consumersOf(false).inProcess > 1
    await using another = isShared ? await openSink(flags.to) : undefined
    const result = await load({
      ...settings,
      // Of standard input the receipt tells whether the same bytes were loaded before.
      keepsLoads: flags.json === true || paths.includes('-'),
      ...(found && {
        readingOf: found.readingOf,
        input: found.input,
        ofTable: found.ofTable,
        namesColumns: true,
      }),
      startTimeoutMs: startLeftMs(flags, startsAt),
      model,
      fresh: flags.fresh === true,
      deferIndexes: flags.deferIndexes,
      queue,
      ...(another && {
        moreSinks: (deferred: boolean) => (consumersOf(deferred).inProcess > 1 ? [another] : []),
      }),
      start: ({ indexesDeferred, ...worker }) => {
        const n = consumersOf(indexesDeferred).processes
        const source = flags.model ?? found?.derivation ?? usualModel
        return n > 1 ? consumerProcesses(n, flags, source, worker) : undefined
      },
    })
    const ms = Math.round(performance.now() - since)
    report[Symbol.dispose]()
    if (flags.json) printResult(result, ms)
    else await tellResult(result, { ms, paths, flags, table: tableName(model), ledger: sink.ledger })
    process.exitCode = receiptsExit(result.account, flags.allowRejects === true)
    if (signal.aborted && process.exitCode === 1)
      throw new LadingError('ABORTED', 'stopped before every record had a verdict')
  })
}

function printResult({ loadedNow, produced, receipts, left, emptied }: LoadResult, ms: number): void {
  printJson({ loadedNow, ms, produced, receipts: receipts.map(receiptJson), left, emptied })
}

interface Telling {
  readonly ms: number
  readonly paths: readonly string[]
  readonly flags: Flags
  readonly table: string
  readonly ledger: Ledger
}

async function tellResult(result: LoadResult, { ms, paths, flags, table, ledger }: Telling): Promise<void> {
  const { account, before, files, loadedNow } = result
  printLeftOut(result.leftOut)
  printReceipts(account)
  printVerdict(account)
  await printFirstRejects(account, ledger)
  print(
    `this run loaded ${counted(loadedNow, 'record')}${paceOf(loadedNow, ms)}${result.loadsBefore === 0 ? '' : `; ${count(result.loadsBefore)} of ${counted(files, 'file')} had been loaded before`}`,
  )
  printRejectedBefore(before)
  printEmptied(result, table, paths)
  const name = flags.name ?? 'stdin'
  if (paths.includes('-'))
    printSameBytes(
      result.receipts.find(({ loadId, source }) => source === name && !publishedNow(result).has(loadId)),
    )
  await printLeft(result.left, flags.state)
}

/** Loads of which something was published in this run; a second path to the same load has nothing to publish. */
const publishedNow = ({ produced }: LoadResult): ReadonlySet<string> =>
  new Set(produced.flatMap(({ loadId, published }) => (published > 0 ? [loadId] : [])))

/** Says what the load would do. */
async function rehearse(
  paths: readonly string[],
  flags: Flags,
  wantedTable: ReturnType<typeof tableSettings>,
): Promise<void> {
  const [{ dryRun }, { openSink }, { dryRunExit, printOutcomes }] = await Promise.all([
    import('../../load/dry-run.ts'),
    import('../../sink/registry.ts'),
    import('../run/dry-run.ts'),
  ])
  const signal = stopSignal()
  await using sink = await openSink(flags.to)
  const settings = { ...produceSettings(paths, flags), sink, signal, onEvent: reporter() }
  const stated = flags.model === undefined ? undefined : await loadModel(flags.model)
  await using found =
    stated === undefined
      ? await findModel({ ...settings, ...wantedTable, isDry: true }, flags.startTimeout)
      : undefined
  const model = stated ?? (found as Unmodelled).model
  await using input =
    found === undefined && paths.includes('-') ? await standardInput(flags.state, settings) : undefined
  const reading = found && { readingOf: found.readingOf, namesColumns: true }
  const outcomes = await dryRun({
    ...settings,
    ...reading,
    model,
    input: found?.input ?? input?.source,
    fresh: flags.fresh === true,
  })
  if (flags.json) printJson(outcomes)
  else printOutcomes(outcomes, model)
  process.exitCode = dryRunExit(outcomes, flags.allowRejects === true)
}

/** The model of files that come without one, and says what was decided. */
async function findModel(
  settings: Omit<UnmodelledOptions, 'usual'>,
  startTimeout: number,
): Promise<Unmodelled> {
  const { unmodelled } = await import('../../load/unmodelled.ts')
  const usual = await loadModel(usualModel)
  const found = await unmodelled({ ...settings, startTimeoutMs: startTimeout * 1000, usual })
  for (const line of found.decisions) say('info', 'decided', { decision: line }, line)
  return found
}

/** Rejects are not retried automatically. */
function printRejectedBefore({ totals, withRejects: [one] }: Account): void {
  if (one === undefined) return
  const rejects = totals.openRejects
  const only = totals.withRejects === 1 ? ['--load', shortId(one.loadId)] : []
  print(
    `${counted(rejects, 'record')} of these loads ${rejects === 1 ? 'was' : 'were'} rejected before; after correcting the model or the table: ${hint('rejects replay', ...only)}`,
  )
}

const mostPaths = 5

/** The ledger knows what took effect, not what others have removed since. */
function printEmptied(
  { emptied, emptiedRecords }: LoadResult,
  table: string,
  paths: readonly string[],
): void {
  if (emptied.length === 0) return
  const command = paths.length > mostPaths ? 'the same command with --fresh' : sameCommand(paths, '--fresh')
  print(
    `table ${visible(table)} WAS EMPTY, though ${counted(emptiedRecords, 'record')} had been loaded into it before; to load from scratch: ${command}`,
  )
}

/** Standard input has no name of its own, so equal bytes are the same load. */
function printSameBytes(receipt: Receipt | undefined): void {
  if (receipt === undefined) return
  const { source, records, startedAt } = receipt
  print(
    `standard input has the bytes of ${source} of ${startedAt} (${counted(records, 'record')}), so nothing was loaded: --name NAME loads them under another name, --again a second time under this one`,
  )
}
