import { shownUrl } from '../../core/url.ts'
import { exampleSinkUrl } from '../../sink/registry.ts'
import type { Command } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { tellAll } from '../../core/events.ts'
import { tableName } from '../../model/model.ts'
import { type ConsumeFlags, consumeOptions, consumeSettings } from '../settings/consume.ts'
import { requirePaths } from '../settings/environment.ts'
import { withExamples } from '../settings/examples.ts'
import { consumersAsTold, defaultConsumers } from '../run/default-consumers.ts'
import { ownPlace, requireTwoFiles } from '../settings/files.ts'
import { type AppendFlags, appendSettings, loadOptions } from '../settings/load.ts'
import { observed } from '../run/http.ts'
import { httpOptions } from '../settings/http.ts'
import { remember, remembering } from '../settings/last.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import {
  addOnce,
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
import { printJson, receiptsExit } from '../terminal/output.ts'
import { readingOptions } from '../settings/reading.ts'
import { standardInput } from '../../source/registry.ts'
import type { DeferIndexes } from '../../load/indexes.ts'
import type { LoadOptions } from '../../load/options.ts'
import type { Unmodelled } from '../../load/unmodelled.ts'
import type { UnmodelledOptions } from '../../load/unmodelled-options.ts'
import { openQueue } from '../../queue/registry.ts'
import { openWorkingQueue, startLeftMs } from '../run/queue.ts'
import { type ProduceFlags, produceSettings } from './produce.ts'
import { type WatchFlags, watchOptions } from '../settings/watch.ts'
import { reporter } from '../terminal/report.ts'
import { reporting } from '../terminal/progress.ts'
import { stopSignal } from '../run/signals.ts'
import { printResult, tellResult } from '../run/told.ts'
import { watchFolders } from '../run/watched.ts'
import { consumerProcesses } from '../run/workers.ts'

interface Flags extends ProduceFlags, ConsumeFlags, TableFlags, AppendFlags, WatchFlags {
  readonly model?: string
  readonly consumers?: number
  readonly deferIndexes: DeferIndexes
  readonly fresh?: boolean
  readonly dryRun?: boolean
  readonly replace?: boolean
  readonly limit?: number
}

export function loadCommand(command: Command): Command {
  command.argument('[path...]', "files, folders, patterns, s3:// and https:// URLs; '-' is standard input")
  const options = [
    ...loadOptions(),
    ...watchOptions(),
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
  addOnce(command, options)
  withExamples(command, [
    ['load data', 'the CSV files below a folder'],
    [`load 'in/*.csv.gz' --to ${exampleSinkUrl} --consumers 4`],
    ["load export.csv --delimiter ';' --model ./my-model.ts"],
    ['load events.ndjson.gz --model ./my-model.ts'],
    ['load inbox --watch --table orders --done move:loaded', 'what arrives in a folder'],
    ['load - --format json --model ./my-model.ts < export.json'],
  ])
  const action = observed('load', async (open, named: string[], flags: Flags) => {
    const paths = requirePaths(named, command, process.env)
    requireTwoFiles(flags.queue, flags.to)
    const wantedTable = tableSettings(flags)
    if (flags.watch === true) {
      remember(command)
      return await watchFolders(paths, flags, { ...consumeSettings(flags), ...wantedTable }, () =>
        open(flags),
      )
    }
    const { consumers: wanted } = flags
    const own = ownPlace(flags)
    if (wanted !== undefined && wanted > 1 && own !== undefined)
      throw new LadingError('USAGE', `only one process can use ${shownUrl(own)}; omit --consumers`)
    if (flags.dryRun === true) return await rehearse(paths, flags, wantedTable)
    const [{ load }, { replaceRows }, { findFiles }, { openSink }, stated] = await Promise.all([
      import('../../load/load.ts'),
      import('../../load/replace.ts'),
      import('../../producer/sources.ts'),
      import('../../sink/registry.ts'),
      flags.model === undefined ? undefined : loadModel(flags.model),
    ])
    const signal = stopSignal()
    const since = performance.now()
    const watch = await open(flags)
    using report = reporting('load')
    const onEvent = tellAll(report.onEvent, watch.listener, remembering(command))
    const startsAt = performance.now()
    await using sink = await openSink(flags.to)
    // Opened before the types are inferred, which reads every record: an unreachable queue fails the load at once.
    await using queue =
      flags.replace === true
        ? await openQueue('memory:')
        : await openWorkingQueue(flags, onEvent, signal, { isOwn: true })
    watch.see(queue)
    const settings = {
      ...produceSettings(paths, flags),
      ...consumeSettings(flags),
      ...appendSettings(paths, flags),
      sink,
      signal,
      onEvent,
    }
    await using found =
      stated === undefined ? await findModel({ ...settings, ...wantedTable }, flags.startTimeout) : undefined
    const model = stated ?? (found as Unmodelled).model
    const files =
      found?.files ?? (await findFiles(settings, (message) => onEvent({ type: 'warning', message })))
    const consumersOf =
      wanted === undefined
        ? await defaultConsumers(files, { ...flags, hasStdin: paths.includes('-') })
        : () => consumersAsTold(wanted)
    const isShared = consumersOf(false).inProcess > 1
    await using another = isShared ? await openSink(flags.to) : undefined
    const wholeLoad = {
      ...settings,
      files,
      // Of standard input the receipt tells whether the same bytes were loaded before.
      keepsLoads: flags.json === true || paths.includes('-'),
      ...(found && {
        readingOf: found.readingOf,
        held: found.held,
        input: found.input,
        ofTable: found.ofTable,
        namesColumns: true,
      }),
      startTimeoutMs: startLeftMs(flags, startsAt),
      model,
      fresh: flags.fresh === true,
      limit: flags.limit,
      deferIndexes: flags.deferIndexes,
      queue,
      ...(another && { moreSinks: () => [another] }),
    }
    const start: LoadOptions['start'] = ({ indexesDeferred, ...worker }) => {
      const n = consumersOf(indexesDeferred).processes
      const source = flags.model ?? found?.derivation ?? usualModel
      return n > 1 ? consumerProcesses(n, flags, source, worker) : undefined
    }
    const result =
      flags.replace === true
        ? await replaceRows({ ...wholeLoad, allowRejects: flags.allowRejects === true })
        : await load({ ...wholeLoad, start })
    remember(command)
    const ms = Math.round(performance.now() - since)
    report[Symbol.dispose]()
    if (flags.json) printResult(result, ms)
    else await tellResult(result, { ms, paths, flags, table: tableName(model), ledger: sink.ledger })
    process.exitCode = receiptsExit(result.account, flags.allowRejects === true, {
      withheld: result.withheld,
    })
    if (signal.aborted && process.exitCode === 1)
      throw new LadingError('ABORTED', 'stopped before every record had a verdict')
  })
  return command.action(action)
}

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
  const reading = found && {
    readingOf: found.readingOf,
    files: found.files,
    held: found.held,
    namesColumns: true,
  }
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
