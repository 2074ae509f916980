/**
 * What tests use of the run's shared MariaDB (test/setup.ts): databases of their own, and a loud skip where
 * there is no server. A test that restarts, kills or changes a server starts one of its own with
 * `startMariadb`.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { beforeAll, describe, inject } from 'vitest'

/** The server that every test of a run shares, which may still be starting, or why there is none. */
export type SharedMariadb = { readonly url: string } | { readonly reason: string }

declare module 'vitest' {
  interface ProvidedContext {
    mariadb: SharedMariadb
  }
}

const readyWithinMs = 55_000

/** `describe` for tests that need MariaDB, which find a server that accepts connections. */
export function describeMariadb(name: string, tests: () => void): void {
  const mariadb = inject('mariadb')
  if ('url' in mariadb) {
    describe(name, () => {
      beforeAll(() => accepting(mariadb.url))
      tests()
    })
  } else {
    describe.skip(`${name} (SKIPPED: ${mariadb.reason.split('\n')[0]})`, tests)
  }
}

export interface FreshMariadb extends AsyncDisposable {
  readonly url: string
  readonly name: string
}

/** A new, empty database on the shared server, or on that of the administrator's url. */
export async function freshMariadb(server?: string): Promise<FreshMariadb> {
  const mariadb = inject('mariadb')
  const administrator = server ?? ('url' in mariadb ? mariadb.url : undefined)
  if (administrator === undefined) throw new Error('reason' in mariadb ? mariadb.reason : 'no MariaDB')
  const name = `lading_test_${randomUUID().replaceAll('-', '')}`
  await execute(administrator, `CREATE DATABASE ${name}`)
  return {
    url: `${administrator}/${name}`,
    name,
    [Symbol.asyncDispose]: () => execute(administrator, `DROP DATABASE IF EXISTS ${name}`),
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url, connectTimeout: 5000 })
  connection.on('error', () => undefined)
  try {
    await connection.query(sql)
  } finally {
    await connection.end()
  }
}

async function accepting(url: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    try {
      await execute(url, 'DO 1')
      return
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error('the shared MariaDB did not start (its log is printed at the end of the run)', {
          cause: error,
        })
      await sleep(50)
    }
  }
}
