import { existsSync } from 'node:fs'
import { toLadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'

/**
 * Records in the producer's state, if it is on this machine, which loads arrive in the database, so that
 * `verify` on another database does not report them as missing. If the state cannot be written, only this
 * record is lost.
 */
export async function noteArrivals(
  path: string,
  place: string,
  onEvent: Listener,
): Promise<Disposable & { readonly listener: Listener }> {
  const { ProducerState } = await import('../../producer/state.ts')
  const noted = new Set<string>()
  let state: InstanceType<typeof ProducerState> | undefined
  const listener: Listener = (event) => {
    if (event.type !== 'batch') return
    const loads = event.loads.map(({ loadId }) => loadId).filter((each) => !noted.has(each))
    if (loads.length === 0 || !existsSync(path)) return
    for (const each of loads) noted.add(each)
    try {
      state ??= new ProducerState(path, '')
      state.arrived(loads, place)
    } catch (error) {
      onEvent({
        type: 'warning',
        message: `cannot record which loads arrived: ${toLadingError(error).message}`,
      })
    }
  }
  return { listener, [Symbol.dispose]: () => state?.[Symbol.dispose]() }
}
