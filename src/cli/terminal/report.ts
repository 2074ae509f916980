/** Events → lines of the log. */
import { codes } from '../../core/errors.ts'
import type { ForeignEvent, LadingEvent, Listener } from '../../core/events.ts'
import { isJson, type Level, say } from './log.ts'
import { count, counted } from './output.ts'

/**
 * How much each event matters. None is an error: neither what is waited for nor a dead letter ends a command.
 */
export const levelOf: Readonly<Record<LadingEvent['type'], Level>> = {
  dead: 'warn',
  waiting: 'warn',
  warning: 'warn',
  published: 'info',
  skipped: 'info',
  foreign: 'info',
  zones: 'info',
  indexes: 'info',
  resuming: 'info',
  resumed: 'info',
  found: 'debug',
  planning: 'debug',
  planned: 'debug',
  batch: 'debug',
  window: 'debug',
  held: 'debug',
  receipt: 'debug',
}

/** Files that are named one by one to a person; of the others, only the sum is reported at the end. */
const mostNamed = 20

/** With bars, files that are published are seen there. */
export function reporter(hasBars = false): Listener {
  let named = 0
  const said = new Set<string>()
  let indexes = ''
  return (event) => {
    // For a watchdog; to a person, the batches say the same.
    if (event.type === 'held') return
    const { type, ...fields } = event
    // Consumers side by side have the same to say.
    if (event.type === 'warning' || event.type === 'zones') {
      const line = lineOf(event)
      if (said.has(line)) return
      said.add(line)
    }
    // Building is tried again while the database is away, which is reported by itself.
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
    if (isFile && named === mostNamed && !isJson()) say('info', type, {}, '… further files are not named')
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
      return `local times are read by time-zone data ${event.release}`
    case 'foreign':
      return `${ownersOf(event)} are left in the queue`
    case 'indexes':
      return `indexes of ${event.table}: ${indexStates[event.state]}`
    case 'resumed':
      return 'resumed'
    case 'resuming':
      return `resuming ${event.source}: ${count(event.done)} of ${counted(event.records, 'record')} were done before`
    case 'found':
      return `found ${counted(event.files, 'file')} of ${counted(event.bytes, 'byte')}`
    case 'planning':
      return `reading ${event.source}: ${counted(event.bytes, 'byte')}`
    case 'receipt':
      return `receipt of ${event.source}: ${countsOf(event)}`
    case 'planned':
      return `planned ${event.source}: ${counted(event.records, 'record')} in ${counted(event.chunks, 'chunk')}`
    case 'window':
      return `window: ${countsOf(event)}`
    case 'batch':
      return `batch: ${countsOf(event)}`
  }
}

function ownersOf({ pipeline, load }: ForeignEvent): string {
  if (pipeline === undefined) return 'messages of others'
  if (load === undefined) return `messages of pipeline ${pipeline}`
  return `chunks of ${load.source} (load ${load.loadId}), which ${publishedFor[load.database]},`
}

const publishedFor = {
  this: 'another load published for this database',
  another: 'a load published for another database',
  any: 'were published for any consumer',
} as const

const indexStates: Readonly<Record<(LadingEvent & { readonly type: 'indexes' })['state'], string>> = {
  deferred: 'left for the end of the load',
  kept: 'kept, because the load was begun before',
  building: 'being built',
  built: 'built',
  left: 'left to another load at work',
}

const countsOf = (event: LadingEvent & { readonly type: 'batch' | 'window' | 'receipt' }): string =>
  Object.entries(event)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${count(Math.round(value))}`] : []))
    .join(', ')

const lengthOf = ({ delayMs, attempt }: LadingEvent & { readonly type: 'waiting' }): string =>
  delayMs === undefined ? '' : ` ${seconds(delayMs)} (attempt ${attempt})`

const seconds = (ms: number): string => (ms < 100 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)
