/** `lading status --watch`: shows the queue and the loads periodically. */
import { toLadingError } from '../../core/errors.ts'
import { mayPass } from '../../core/retry.ts'
import { sleep, unlessAborted } from '../../core/wait.ts'
import type { Depth } from '../../queue/queue.ts'
import { verdictsIn } from '../../observe/load.ts'
import type { Receipt } from '../../sink/ledger.ts'
import { type Bar, barLines, noteLine, type Paint } from '../terminal/bars.ts'
import { count, counted, print, receiptJson } from '../terminal/output.ts'
import { isTerminal, paintOn } from '../terminal/progress.ts'
import { Region, sizeOf } from '../terminal/region.ts'
import { stopSignal } from '../run/signals.ts'

export interface Look {
  readonly depth: Depth
  readonly receipts: readonly Receipt[]
}

/** A snapshot and its time. */
export interface Seen extends Look {
  /** Milliseconds since 1970. */
  readonly at: number
}

const mostLoads = 20
/** Width of an output that is not a terminal. */
const pipedColumns = 120

/**
 * Refreshes until stopped, or until the output is closed. Only the first refresh may fail: later ones wait
 * for a database or queue that is unavailable.
 */
export async function watch(look: () => Promise<Look>, everySeconds: number, json: boolean): Promise<void> {
  const gone = new AbortController()
  process.stdout.once('error', () => gone.abort())
  const signal = AbortSignal.any([stopSignal({ isTold: false }), gone.signal])
  const show = json ? showJson : isTerminal(process.stdout) ? showRegion() : showBlock
  let last: Seen | undefined
  while (!signal.aborted) {
    try {
      const seen = await unlessAborted(look(), signal)
      if (seen === undefined) return
      const now = { ...seen, at: Date.now() }
      show(now, last)
      last = now
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (last === undefined || !mayPass(error)) throw error
      show(last, last, `waiting: ${error.code}: ${error.message}`)
    }
    await sleep(everySeconds * 1000, signal)
  }
}

type Show = (seen: Seen, last: Seen | undefined, trouble?: string) => void

const showJson: Show = ({ at, depth, receipts }, _, trouble) =>
  print(
    JSON.stringify({
      time: new Date(at).toISOString(),
      trouble,
      queue: depth,
      loads: receipts.map(receiptJson),
    }),
  )

function showRegion(): Show {
  const region = new Region(process.stdout)
  const paint = paintOn(process.stdout)
  return (seen, last, trouble) => {
    const { columns, rows } = sizeOf(process.stdout)
    region.draw(watchLines(seen, last, { columns, rows, paint, trouble }))
  }
}

const showBlock: Show = (seen, last, trouble) => {
  const paint: Paint = (_, text) => text
  print(watchLines(seen, last, { columns: pipedColumns, rows: mostLoads, paint, trouble }).join('\n') + '\n')
}

interface WatchView {
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
  readonly trouble?: string | undefined
}

/** The lines of one refresh, with rates since the last one. */
export function watchLines(
  seen: Seen,
  last: Seen | undefined,
  { columns, rows, paint, trouble }: WatchView,
): string[] {
  const { at, depth, receipts } = seen
  const inFlight = depth.inFlight === undefined ? 'an unknown number' : count(depth.inFlight)
  const queue = `${new Date(at).toISOString().slice(0, -5)}Z  queue: ${count(depth.ready)} ready, ${inFlight} in flight, ${count(depth.dead)} dead`
  const seconds = last === undefined ? 0 : (at - last.at) / 1000
  const before = new Map(last?.receipts.map((receipt) => [receipt.loadId, verdictsIn(receipt)]))
  const bars = receipts.map((receipt) => barOf(receipt, before.get(receipt.loadId) ?? 0, seconds))
  const open = bars.filter(({ done, records }) => done < records)
  const head = [
    noteLine(queue, columns),
    ...(trouble === undefined ? [] : [paint('yellow', noteLine(trouble, columns))]),
  ]
  if (bars.length === 0) return [...head, noteLine('no load yet', columns)]
  const sum = (of: (bar: Bar) => number) => bars.reduce((total, bar) => total + of(bar), 0)
  const all: Bar = {
    name: `${count(bars.length - open.length)} of ${counted(bars.length, 'load')}`,
    records: sum(({ records }) => records),
    expected: sum(({ records }) => records),
    done: sum(({ done }) => done),
    rejected: sum(({ rejected }) => rejected),
    dead: sum(({ dead }) => dead),
    bytes: sum(({ bytes }) => bytes),
    bytesDone: sum(({ bytesDone }) => bytesDone),
    rate: sum(({ rate }) => rate),
  }
  const shown = open.slice(0, Math.max(0, Math.min(mostLoads, rows - head.length - 3)))
  const more =
    open.length > shown.length
      ? [noteLine(`… and ${counted(open.length - shown.length, 'load')} more running`, columns)]
      : []
  return [...head, ...barLines([all, ...shown], columns, paint), ...more]
}

function barOf(receipt: Receipt, before: number, seconds: number): Bar {
  const { source, records, rejected, dead, bytes } = receipt
  const done = verdictsIn(receipt)
  const rate = seconds > 0 ? Math.max(0, done - before) / seconds : 0
  return {
    name: source,
    records,
    expected: records,
    done,
    rejected,
    dead,
    bytes,
    bytesDone: records === 0 ? 0 : Math.round((bytes * done) / records),
    rate,
  }
}
