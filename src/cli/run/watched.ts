/** `load --watch`: what each file that arrives comes to, a line each. */
import { LadingError } from '../../core/errors.ts'
import { shownUrl } from '../../core/url.ts'
import { isUrl } from '../../source/registry.ts'
import { tellAll } from '../../core/events.ts'
import { placeOfSink } from '../../sink/registry.ts'
import type { Watched, WatchOptions } from '../../watch/watch.ts'
import type { ConsumeFlags } from '../settings/consume.ts'
import { type ProduceFlags, produceSettings } from '../commands/produce.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import type { WatchFlags } from '../settings/watch.ts'
import { say } from '../terminal/log.ts'
import { counted, print, receiptJson, shortId, visible } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'
import type { Watch } from './http.ts'
import { openWorkingQueue } from './queue.ts'
import { stopSignal } from './signals.ts'

interface Flags extends WatchFlags, ProduceFlags, ConsumeFlags {
  readonly model?: string
  readonly table?: string
  readonly deferIndexes: WatchOptions['deferIndexes'] & string
}

/** Ends when it is stopped, or by an error that is no single file's. */
export async function watchFolders(
  paths: readonly string[],
  flags: Flags,
  settings: Partial<WatchOptions>,
  observe: () => Promise<Watch>,
): Promise<void> {
  if (paths.includes('-'))
    throw new LadingError('USAGE', "--watch looks into folders, and '-' is standard input")
  const url = paths.find(isUrl)
  if (url !== undefined)
    throw new LadingError(
      'USAGE',
      `${shownUrl(url)} is no folder of this machine, which is what --watch watches; run load for it again and again`,
    )
  if (flags.model === undefined && flags.table === undefined)
    throw new LadingError(
      'USAGE',
      '--watch needs --table or --model: the files that arrive name no table together',
    )
  const [{ watch }, { openSink }, usual, model] = await Promise.all([
    import('../../watch/watch.ts'),
    import('../../sink/registry.ts'),
    loadModel(usualModel),
    flags.model === undefined ? undefined : loadModel(flags.model),
  ])
  const signal = stopSignal()
  const observed = await observe()
  const onEvent = tellAll(reporter(), observed.listener)
  await using sink = await openSink(flags.to)
  await using another = placeOfSink(flags.to).writers === 'many' ? await openSink(flags.to) : undefined
  await using queue = await openWorkingQueue(flags, onEvent, signal, { isOwn: true })
  observed.see(queue)
  say('info', 'watch', { paths }, `watching ${paths.map((path) => visible(path)).join(', ')}`)
  await watch({
    ...produceSettings(paths, flags),
    ...settings,
    startTimeoutMs: flags.startTimeout * 1000,
    deferIndexes: flags.deferIndexes,
    usual,
    model,
    queue,
    sink,
    moreSinks: () => (another === undefined ? [] : [another]),
    settleMs: flags.settle * 1000,
    done: flags.done,
    failed: flags.failed,
    allowRejects: flags.allowRejects === true,
    signal,
    onEvent,
    onDecided: (decision) => say('info', 'decided', { decision }, decision),
    onWatched: (file) => tell(file, flags.json === true),
  })
}

function tell(file: Watched, isJson: boolean): void {
  const { source, path, outcome, reason, movedTo, isGone, receipt } = file
  if (outcome === 'known' && movedTo === undefined) return
  if (isJson) {
    print(
      JSON.stringify({
        source,
        path,
        outcome,
        reason,
        movedTo,
        isGone,
        ...(receipt && { receipt: receiptJson(receipt) }),
      }),
    )
    return
  }
  const why = reason === undefined ? '' : `: ${visible(reason)}`
  const records =
    receipt === undefined
      ? ''
      : ` (load ${shortId(receipt.loadId)}, ${counted(receipt.loaded, 'record')} loaded)`
  print(`${said[outcome]} ${visible(source)}${records}${why}${whereOf(file)}`)
}

function whereOf({ outcome, movedTo, isGone }: Watched): string {
  if (isGone === true) return '; it is gone: lading verify tells if a part of it is open'
  if (movedTo === '') return '; deleted'
  if (movedTo !== undefined) return `; moved to ${visible(movedTo)}`
  return outcome === 'refused' || outcome === 'rejects' ? '; it stays where it is' : ''
}

const said: Readonly<Record<Watched['outcome'], string>> = {
  loaded: 'loaded',
  known: 'loaded before',
  rejects: 'loaded with faults',
  refused: 'not loaded',
}
