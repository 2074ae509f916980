/** Exit code of a process that a signal ended, as shells count: 128 and the signal's number. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * A signal that aborts at the first SIGINT or SIGTERM, which means: finish what is in hand. A second one ends the process at
 * once, which is safe at any moment, because nothing is believed before it is committed.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const [name, exit] of Object.entries(signals)) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(exit)
      stop.abort()
      // For a person at a terminal; a consumer process that its parent stops has none.
      if (process.stdin.isTTY) process.stderr.write('stopping: finishing what is in hand (again to end at once)\n')
    })
  }
  return stop.signal
}
