import type { Listener } from '../core/events.ts'
import { isJson, say } from './log.ts'

/** Exit code of a process that a signal ended, as shells count: 128 and the signal's number. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** A signal that follows another within so many milliseconds is its echo. */
const echoMs = 150

/**
 * A signal that aborts at the first SIGINT or SIGTERM which means: finish what is in hand. A second one ends the process at
 * once, which is safe at any moment, because nothing is believed before it is committed. Where nothing is in hand, nothing is told.
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
        say('info', 'stopping', { signal: name }, 'stopping: finishing what is in hand (again to end at once)')
    })
  }
  return stop.signal
}

/** Environment of a consumer process whose IPC channel ties it to the `lading load` that started it. Others may have a channel too. */
export const tied = { LADING_TIED: '1' } as const

export const isTied = (env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  Object.keys(tied).some((name) => env[name] !== undefined)

/** Tells a consumer process to finish what is in hand; its channel stays open for what it has to tell. */
export const stopMessage = 'stop'

/** A signal that aborts when the load that started this process says stop, or is gone; of any other process it never aborts. */
export function parentSignal(): AbortSignal {
  const parent = new AbortController()
  if (!isTied() || process.connected === undefined) return parent.signal
  process.once('disconnect', () => parent.abort())
  process.once('message', () => parent.abort())
  // Listening alone must not keep the process alive.
  process.channel?.unref()
  if (!process.connected) parent.abort()
  return parent.signal
}

/** Tells events to the load that started this process, which has the log and whatever else listens. A load that is gone hears nothing. */
export const tellParent: Listener = (event) => {
  if (process.connected) process.send?.(event, undefined, undefined, () => undefined)
}
