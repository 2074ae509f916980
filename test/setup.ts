/**
 * Runs once, before all tests: one PostgreSQL for the whole run. Without one, the tests that need it are skipped loudly;
 * where CI is set nothing may be skipped, so the run fails.
 */
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { Unavailable } from './servers/binaries.ts'
import type { SharedPostgres } from './servers/database.ts'
import { startPostgres } from './servers/postgres.ts'

type Opened = { readonly postgres: SharedPostgres; readonly close: () => Promise<void> }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { postgres, close } = await open()
  project.provide('postgres', postgres)
  return close
}

async function open(): Promise<Opened> {
  try {
    const given = process.env['LADING_TEST_POSTGRES_URL']
    return given ? await borrow(given) : await start()
  } catch (error) {
    if (process.env['CI'] || !(error instanceof Unavailable)) throw error
    process.stderr.write(`\nTESTS THAT NEED POSTGRESQL ARE SKIPPED: ${error.message.toUpperCase()}\n\n`)
    return { postgres: { reason: error.message }, close: async () => {} }
  }
}

async function start(): Promise<Opened> {
  const server = await startPostgres()
  return { postgres: { url: server.url }, close: () => server.stop() }
}

/** A server that somebody else keeps: tests create and drop databases of their own there, and nothing else. */
async function borrow(url: string): Promise<Opened> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  const refused = (error: unknown) => {
    throw new Unavailable(`LADING_TEST_POSTGRES_URL: ${error instanceof Error ? error.message : String(error)}`)
  }
  await client.connect().catch(refused)
  await client.end()
  return { postgres: { url }, close: async () => {} }
}
