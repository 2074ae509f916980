/**
 * In what state a run is: one answer for the page, for `/readyz`, and for whoever asks the API. It claims
 * nothing that is not known: a run is complete when the ledger says so of every load, and idle only while
 * nothing is known to be open.
 */
import { count, counted } from '../core/counted.ts'
import { codes, type Code } from '../core/errors.ts'
import type { Facts, RunState, StateKind } from './snapshot.ts'

/** Between two batches nothing is in hand for a moment. */
const movingMs = 10_000

type Told = readonly [kind: StateKind, headline: string, detail: string]

export function stateOf(facts: Facts): RunState {
  const open = openIn(facts)
  const [kind, headline, detail] = told(facts, open)
  return { kind, headline, detail, bad: badOf(facts), open }
}

/** Whether a run does what it should, for `/readyz`. */
export const isWell = ({ kind }: Pick<RunState, 'kind'>, { course: { ended } }: Facts): boolean =>
  kind !== 'stalled' && ended?.by !== 'error'

function told(facts: Facts, open: number): Told {
  const { at, process, course, readiness, waiting } = facts
  if (process.command === 'ui')
    return [
      'none',
      'No run',
      'This page shows the database. Runs of other processes show as far as it knows.',
    ]
  if (course.ended !== undefined) return atEnd(facts, open)
  if (!readiness.ready) return ['stalled', 'Stalled', readiness.reason ?? '']
  const [wait] = waiting
  if (wait !== undefined) {
    const { code, message, since, attempt } = wait
    return ['waiting', 'Waiting', `${code}: ${message} (for ${duration(at - since)}, attempt ${attempt})`]
  }
  if (course.building !== undefined) {
    const { table, since } = course.building
    return ['indexing', 'Building indexes', `of table ${table}, for ${duration(at - since)}`]
  }
  return process.command === 'consume' ? ofConsumer(facts, open) : ofFiles(facts, open)
}

function ofFiles(facts: Facts, open: number): Told {
  const { process, course, work, totals } = facts
  const { files } = course
  const planned = files === undefined ? '' : `${files.planned} of ${counted(files.found, 'file')} planned`
  if (process.command === 'produce') {
    if (open > 0) return ['publishing', 'Publishing', pace(facts)]
  } else if (open > 0) {
    if (work.done > 0 || totals.batches > 0) return ['loading', 'Loading', pace(facts)]
    if (totals.published > 0) return ['publishing', 'Publishing', 'nothing has a verdict yet']
  }
  const isPlanned = files !== undefined && files.planned >= files.found
  if (!isPlanned || work.loads === 0) return ['planning', 'Planning', planningOf(facts) || planned]
  if (open > 0) return ['publishing', 'Publishing', 'nothing is published yet']
  if (work.settled < work.loads) {
    if (process.command === 'produce')
      return ['publishing', 'Publishing', 'the queue confirms the last messages']
    return ['loading', 'Loading', 'every record has a verdict; the ledger is asked']
  }
  return complete(facts)
}

function ofConsumer(facts: Facts, open: number): Told {
  const { at, work, queue, consumers, totals, readiness } = facts
  const ready = queue.isShared ? 0 : (queue.depth?.ready ?? 0)
  const inHand = consumers.reduce((sum, { held }) => sum + held, 0)
  const isMoving =
    totals.batches > 0 && at - readiness.progressAt < movingMs && (open > 0 || work.loads === 0)
  if (isMoving || inHand > 0 || ready > 0) return ['loading', 'Loading', pace(facts)]
  if (open > 0) {
    const since = duration(at - readiness.progressAt)
    const what = `${counted(open, 'record')} of ${counted(work.loads - work.settled, 'load')}`
    return ['waiting', 'Waiting', `for ${what}, which this consumer was not given yet (for ${since})`]
  }
  const inFlight = queue.isShared ? 0 : (queue.depth?.inFlight ?? 0)
  if (inFlight > 0)
    return [
      'waiting',
      'Waiting',
      `for ${counted(inFlight, 'message')} in flight, taken by this consumer or by another`,
    ]
  if (work.loads > 0 && work.settled === work.loads) return complete(facts)
  const met = totals.messages === 0 ? 'no message yet' : 'all that was taken has a verdict'
  return ['idle', 'Idle', `${met}; waiting for messages`]
}

function complete(facts: Facts): Told {
  const { process, work, course, readiness } = facts
  const took = duration((course.ended?.at ?? readiness.progressAt) - process.startedAt)
  const what = `${counted(work.records, 'record')} of ${counted(work.loads, 'load')}; this run took ${took}`
  if (badOf(facts) !== '') return ['rejects', 'Complete, but not all was loaded', what]
  return ['complete', 'Complete', what]
}

function atEnd(facts: Facts, open: number): Told {
  const { course, work, totals, process } = facts
  const { by, why = '' } = course.ended ?? {}
  const left = open > 0 ? `${counted(open, 'record')} left` : 'nothing that was begun is left'
  if (by === 'error') {
    const meaning = (codes as Partial<Record<string, { meaning: string }>>)[why as Code]?.meaning
    return ['stopped', 'Stopped by an error', `${why}${meaning === undefined ? '' : `: ${meaning}`}; ${left}`]
  }
  const isUnplanned = (course.files?.planned ?? 0) < (course.files?.found ?? 0)
  const isShort = open > 0 || isUnplanned || work.settled < work.loads
  if (by === 'signal' && (isShort || process.command === 'consume'))
    return ['stopped', 'Stopped', `by ${why}; ${left}`]
  if (isShort) return ['stopped', 'Ended early', left]
  if (work.loads > 0) return complete(facts)
  const messages = `${counted(totals.messages, 'message')} taken`
  return badOf(facts) === ''
    ? ['complete', 'Complete', messages]
    : ['rejects', 'Complete, but not all was loaded', messages]
}

/** Records of loads that have no verdict. What is behind a plan that is not made yet, nobody knows. */
const openIn = ({ work }: Facts): number => Math.max(0, work.records - work.done)

function badOf({ work, loose }: Facts): string {
  const parts = [
    [work.rejected + loose.rejected, 'record', 'rejected'],
    [work.dead, 'record', 'dead'],
    [loose.deadMessages, 'message', 'dead'],
  ] as const
  return parts.flatMap(([n, thing, what]) => (n > 0 ? [`${counted(n, thing)} ${what}`] : [])).join(', ')
}

function planningOf({ course: { planning } }: Facts): string {
  if (planning === undefined) return ''
  const { source, bytes, size } = planning
  const whole = bytes <= size && size > 0 && !/\.(gz|zst)$/i.test(source) ? ` of ${mib(size)}` : ''
  return `reading and checking ${source}${bytes > 0 ? `: ${mib(bytes)}${whole}` : ''}`
}

function pace({ at, perSecond, totals, readiness: { progressAt } }: Facts): string {
  if (perSecond > 0) return `${count(perSecond)} records per second`
  if (totals.batches === 0 && totals.published === 0) return 'nothing has a verdict yet'
  // Of a single batch no rate is known.
  return at - progressAt < movingMs ? 'under way' : `nothing for ${duration(at - progressAt)}`
}

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
