/**
 * The states of producers: SQLite in memory, in place of files. A process that is killed leaves there what it has
 * committed: no transaction of a state waits for anything, so no event falls into one.
 */
import { registerHooks } from 'node:module'
import { DatabaseSync as Real, type StatementSync } from 'node:sqlite'

let states = new Map<string, Real>()
/** Without rows: to make their tables and statements anew took an eighth of the time of all schedules. */
const spare: Real[] = []

/**
 * What the program has for the class of Node. All who open one path have one connection.
 *
 * @public
 */
export function DatabaseSync(path: string): Real {
  const state = states.get(path) ?? spare.pop() ?? newState()
  states.set(path, state)
  return state
}

function newState(): Real {
  const connection = new Real(':memory:')
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? Real.prototype.prepare.call(connection, sql)
    statements.set(sql, statement)
    return statement
  }
  return Object.assign(connection, { close: () => undefined, prepare })
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
  for (const state of states.values()) {
    empty(state)
    spare.push(state)
  }
  states = new Map()
}

function empty(connection: Real): void {
  const tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  connection.exec('PRAGMA foreign_keys = OFF')
  for (const { name } of tables) connection.exec(`DELETE FROM "${String(name)}"`)
}
