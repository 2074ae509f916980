/**
 * The states of producers: SQLite in memory, in place of files. A process that is killed leaves there what it has
 * committed: no transaction of a state waits for anything, so no event falls into one.
 */
import { registerHooks } from 'node:module'
import { DatabaseSync as Real } from 'node:sqlite'

let states = new Map<string, Real>()

/**
 * What the program has for the class of Node. All who open one path have one connection.
 *
 * @public
 */
export function DatabaseSync(path: string): Real {
  const state = states.get(path) ?? new Real(':memory:')
  states.set(path, Object.assign(state, { close: () => undefined }))
  return state
}

/** From now on the program opens its SQLite files here. */
export function simulateStates(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'node:sqlite' && context.parentURL?.endsWith('/src/core/sqlite.ts') === true
        ? { url: import.meta.url, shortCircuit: true }
        : next(specifier, context),
  })
}

/** From now on no producer has run anywhere. */
export function forgetStates(): void {
  for (const state of states.values()) Real.prototype.close.call(state)
  states = new Map()
}
