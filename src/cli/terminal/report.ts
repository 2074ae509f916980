/** The log lines of a run's events. */
import { codes } from '../../core/errors.ts'
import type { ForeignEvent, LadingEvent, Listener } from '../../core/events.ts'
import { isJson, isSaid, type Level, say } from './log.ts'
import { count, counted, leftOutText } from './output.ts'

/** The level of each event. None is an error, because waiting and dead letters do not end a command. */
export const levelOf: Readonly<Record<LadingEvent['type'], Level>> = {
  dead: 'warn',
  waiting: 'warn',
  warning: 'warn',
  published: 'info',
  skipped: 'info',
  foreign: 'info',
  ignored: 'info',
  zones: 'info',
  indexes: 'info',
  resuming: 'info',
  resumed: 'info',
  found: 'debug',
  planning: 'debug',
  planned: 'debug',
  watching: 'debug',
  batch: 'debug',
  window: 'debug',
  held: 'debug',
  receipt: 'debug',
}

/** Most files to name in a text log; the result has the total. */
const mostNamed = 20

/** The bars show published files, so they are not logged then. */
export function reporter(hasBars = false): Listener {
  let named = 0
  const said = new Set<string>()
  let indexes = ''
  return (event) => {
    // For the watchdog only; the batches tell the same to a person.
    if (event.type === 'held' || !isSaid(levelOf[event.type])) return
    const { type, ...fields } = event
    // Parallel consumers emit the same warnings.
    if (event.type === 'warning' || event.type === 'zones') {
      const line = lineOf(event)
      if (said.has(line)) return
      said.add(line)
    }
    // Building is retried while the database is unavailable, which has its own event.
    if (event.type === 'indexes') {
      if (indexes === lineOf(event)) return
      indexes = lineOf(event)
    }
    if (type === 'published' && hasBars) return
    const isFile = type === 'published' || type === 'skipped' || type === 'resuming'
    if (isFile && ++named > mostNamed && !isJson()) return
    say(
      levelOf[type],
      type,
      type === 'waiting' ? { ...fields, advice: codes[event.code].advice } : fields,
      lineOf(event),
    )
    if (isFile && named === mostNamed && !isJson()) say('info', type, {}, '… further files are not listed')
  }
}

function lineOf(event: Exclude<LadingEvent, { readonly type: 'held' }>): string {
  switch (event.type) {
    case 'published':
      return `published ${event.source}: ${counted(event.records, 'record')} in ${counted(event.chunks, 'chunk')}`
    case 'skipped':
      return `skipped ${event.source}: ${event.reason}`
    case 'dead':
      return `dead letter ${event.key}: ${event.code}: ${event.detail}`
    case 'waiting':
      return `waiting${lengthOf(event)}: ${event.code}: ${event.message} (${codes[event.code].advice})`
    case 'warning':
      return `warning: ${event.message}`
    case 'zones':
      return `local times use time-zone data ${event.release}`
    case 'foreign':
      return `${ownersOf(event)} are left in the queue`
    case 'ignored':
      return `notifications of ${event.event} are settled: they bring no object to load`
    case 'indexes':
      return `indexes of ${event.table}: ${indexStates[event.state]}`
    case 'resumed':
      return 'resumed'
    case 'resuming':
      return `resuming ${event.source}: ${count(event.done)} of ${counted(event.records, 'record')} were already done`
    case 'found':
      return `found ${counted(event.files, 'file')} of ${counted(event.bytes, 'byte')}`
    case 'planning':
      return `reading ${event.source}: ${counted(event.bytes, 'byte')}`
    case 'watching':
      return `watching: ${countsOf(event)}`
    case 'receipt':
      return `receipt of ${event.source}: ${countsOf(event)}`
    case 'planned':
      return `planned ${event.source}: ${counted(event.records, 'record')} in ${counted(event.chunks, 'chunk')}${event.leftOut === undefined ? '' : `; left out: ${leftOutText(event.leftOut)}`}`
    case 'window':
      return `window: ${countsOf(event)}`
    case 'batch':
      return `batch: ${countsOf(event)}`
  }
}

function ownersOf({ pipeline, load }: ForeignEvent): string {
  if (pipeline === undefined) return 'external messages'
  if (load === undefined) return `messages of pipeline ${pipeline}`
  return `chunks of ${load.source} (load ${load.loadId}), which ${publishedFor[load.database]},`
}

const publishedFor = {
  this: 'another load published for this database',
  another: 'a load published for another database',
  any: 'were published for any consumer',
} as const

const indexStates: Readonly<Record<(LadingEvent & { readonly type: 'indexes' })['state'], string>> = {
  deferred: 'deferred to the end of the load',
  kept: 'kept, because the load was started earlier',
  building: 'being built',
  built: 'built',
  left: 'left to another running load',
}

const countsOf = (
  event: LadingEvent & { readonly type: 'batch' | 'window' | 'receipt' | 'watching' },
): string =>
  Object.entries(event)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${count(Math.round(value))}`] : []))
    .join(', ')

const lengthOf = ({ delayMs, attempt }: LadingEvent & { readonly type: 'waiting' }): string =>
  delayMs === undefined ? '' : ` ${seconds(delayMs)} (attempt ${attempt})`

const seconds = (ms: number): string => (ms < 100 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)
