import type { Listener } from '../../core/events.ts'
import { Ids } from '../../core/ids.ts'
import { sleep } from '../../core/wait.ts'
import { isJson, say } from '../terminal/log.ts'

/** Exit codes of a process that a signal ended: 128 plus the signal's number, as in shells. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** A second signal within this many milliseconds repeats the first one. */
const echoMs = 150

const longestTimerMs = 2 ** 31 - 1

let first: keyof typeof signals | undefined

/** The signal that came first. */
export const stoppedBy = (): string | undefined => first

/** Waits for so long, or for a signal, which has no other effect any more. */
export async function untilSignal(ms: number): Promise<void> {
  const came = new AbortController()
  for (const name of Object.keys(signals) as (keyof typeof signals)[]) {
    const before = process.listeners(name)
    // Added before the old ones go: a signal that arrives while nobody listens is lost.
    process.once(name, () => came.abort())
    for (const listener of before) process.off(name, listener)
  }
  const until = performance.now() + ms
  while (!came.signal.aborted && performance.now() < until)
    await sleep(Math.min(until - performance.now(), longestTimerMs), came.signal)
}

/**
 * Aborts at the first SIGINT or SIGTERM: finish the work in hand. A second one ends the process at once,
 * which is always safe, because nothing counts before it is committed. `isTold` logs the stop.
 */
export function stopSignal({ isTold = true } = {}): AbortSignal {
  const stop = new AbortController()
  let since = 0
  for (const [name, exit] of Object.entries(signals)) {
    process.on(name, () => {
      first ??= name as keyof typeof signals
      // npm forwards a signal that the terminal has already sent: not a second request.
      if (stop.signal.aborted && performance.now() - since > echoMs) process.exit(exit)
      if (stop.signal.aborted) return
      since = performance.now()
      stop.abort()
      // For a person at a terminal and for a service's log; a consumer process of a load has neither.
      if (isTold && (process.stdin.isTTY || isJson()))
        say(
          'info',
          'stopping',
          { signal: name },
          'stopping: finishing the work in hand (repeat to end at once)',
        )
    })
  }
  return stop.signal
}

/** Marks a consumer process that `lading load` started, because any process may have an IPC channel. */
export const tied = { LADING_TIED: '1' } as const

export const isTied = (env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  Object.keys(tied).some((name) => env[name] !== undefined)

/** What a load sends to its consumer processes; their channel stays open for their events. */
export type Order = 'stop' | 'finish' | { readonly load: string }

/** Orders from the load that started this process. */
export interface Orders {
  /** Aborts on the order to stop, or when the load is gone. */
  readonly stop: AbortSignal
  /** Aborts when nothing more will be published. */
  readonly finish: AbortSignal
  /** The loads whose chunks this process takes; undefined if no load started it. */
  readonly loads: Pick<Ids, 'has'> | undefined
}

export function parentOrders(): Orders {
  const [stop, finish] = [new AbortController(), new AbortController()]
  const none = { stop: stop.signal, finish: finish.signal, loads: undefined }
  if (!isTied() || process.connected === undefined) return none
  const loads = new Ids()
  process.once('disconnect', () => stop.abort())
  process.on('message', (order: Order) => {
    if (order === 'stop') stop.abort()
    else if (order === 'finish') finish.abort()
    else void loads.add(order.load)
  })
  // Listening must not keep the process alive.
  process.channel?.unref()
  // v8 ignore next -- the load that started this process is gone at once
  if (!process.connected) stop.abort()
  return { ...none, loads }
}

/** Sends events to the load that started this process, for its log and other listeners, unless it is gone. */
export const tellParent: Listener = (event) => {
  if (process.connected) process.send?.(event, undefined, undefined, () => undefined)
}
