import type { Listener } from '../../core/events.ts'
import { isJson, say } from '../terminal/log.ts'

/** Exit code of a process that a signal ended, as shells count: 128 and the signal's number. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** A signal that follows another within so many milliseconds is its echo. */
const echoMs = 150

/**
 * A signal that aborts at the first SIGINT or SIGTERM which means: finish what is in hand. A second one ends
 * the process at once, which is safe at any moment, because nothing is believed before it is committed. Where
 * nothing is in hand, nothing is told.
 */
export function stopSignal({ isTold = true } = {}): AbortSignal {
  const stop = new AbortController()
  let since = 0
  for (const [name, exit] of Object.entries(signals)) {
    process.on(name, () => {
      // npm passes on what the terminal has sent already: that is no second wish.
      if (stop.signal.aborted && performance.now() - since > echoMs) process.exit(exit)
      if (stop.signal.aborted) return
      since = performance.now()
      stop.abort()
      // For a person at a terminal, which a consumer process of a load has not, and for the log of a service.
      if (isTold && (process.stdin.isTTY || isJson()))
        say(
          'info',
          'stopping',
          { signal: name },
          'stopping: finishing what is in hand (again to end at once)',
        )
    })
  }
  return stop.signal
}

/**
 * Environment of a consumer process whose IPC channel ties it to the `lading load` that started it. Others
 * may have a channel too.
 */
export const tied = { LADING_TIED: '1' } as const

export const isTied = (env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  Object.keys(tied).some((name) => env[name] !== undefined)

/** What a load tells its consumer processes; their channel stays open for what they have to tell. */
export type Order = 'stop' | 'finish' | { readonly load: string }

/** What the load that started this process has told it. */
export interface Orders {
  /** Aborts when it says stop, or is gone. */
  readonly stop: AbortSignal
  /** Aborts when nothing more will be published. */
  readonly finish: AbortSignal
  /** Those whose chunks this process takes; undefined where no load started it. */
  readonly loads: ReadonlySet<string> | undefined
}

export function parentOrders(): Orders {
  const [stop, finish] = [new AbortController(), new AbortController()]
  const none = { stop: stop.signal, finish: finish.signal, loads: undefined }
  if (!isTied() || process.connected === undefined) return none
  const loads = new Set<string>()
  process.once('disconnect', () => stop.abort())
  process.on('message', (order: Order) => {
    if (order === 'stop') stop.abort()
    else if (order === 'finish') finish.abort()
    else loads.add(order.load)
  })
  // Listening alone must not keep the process alive.
  process.channel?.unref()
  if (!process.connected) stop.abort()
  return { ...none, loads }
}

/**
 * Tells events to the load that started this process, which has the log and whatever else listens. A load
 * that is gone hears nothing.
 */
export const tellParent: Listener = (event) => {
  if (process.connected) process.send?.(event, undefined, undefined, () => undefined)
}
