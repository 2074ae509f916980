/**
 * Runs once, before all tests: the command is built, and there is one PostgreSQL, one RabbitMQ and one MariaDB for the
 * whole run. The tests that need what cannot be had are skipped loudly; where CI is set nothing may be skipped, so the
 * run fails.
 */
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { buildCommand } from '../tooling/build.ts'
import type { SharedRabbit } from '../tooling/servers/broker.ts'
import type { SharedPostgres } from '../tooling/servers/database.ts'
import { openMariadb, withoutFsync } from '../tooling/servers/mariadb.ts'
import type { SharedMariadb } from '../tooling/servers/mariadb-database.ts'
import { Unavailable } from '../tooling/servers/machine.ts'
import { startPostgres } from '../tooling/servers/postgres.ts'
import { openRabbit } from '../tooling/servers/rabbitmq.ts'

type Opened<Shared> = { readonly shared: Shared; readonly close: () => Promise<void> }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildCommand()
  // These take longer, and start while PostgreSQL does.
  const rabbit = await open<SharedRabbit>('RabbitMQ', () => openInBackground(openRabbit()))
  const mariadb = await open<SharedMariadb>('MariaDB', () => openInBackground(openMariadb(withoutFsync)))
  const postgres = await open<SharedPostgres>('PostgreSQL', openDatabase).catch(async (error: unknown) => {
    await Promise.all([rabbit.close(), mariadb.close()])
    throw error
  })
  project.provide('rabbit', rabbit.shared)
  project.provide('mariadb', mariadb.shared)
  project.provide('postgres', postgres.shared)
  return async () => {
    await Promise.all([rabbit.close(), mariadb.close(), postgres.close()])
  }
}

async function open<Shared>(
  product: string,
  way: () => Promise<Opened<Shared>>,
): Promise<Opened<Shared | { reason: string }>> {
  try {
    return await way()
  } catch (error) {
    if (process.env['CI'] || !(error instanceof Unavailable)) throw error
    process.stderr.write(
      `\nTESTS THAT NEED ${product.toUpperCase()} ARE SKIPPED: ${error.message.toUpperCase()}\n\n`,
    )
    return { shared: { reason: error.message }, close: async () => {} }
  }
}

/** Does not wait until the server is up: `describeRabbit` does, so that a run without such tests need not. */
async function openInBackground(
  opened: Promise<{ readonly url: string; start(): Promise<void>; stop(): Promise<void> }>,
): Promise<Opened<{ readonly url: string }>> {
  const server = await opened
  let failure: unknown = null
  const started = server.start().catch((error: unknown) => {
    failure = error
  })
  const close = async () => {
    // A start that is cut short from here on has not failed.
    const failed = failure
    await server.stop()
    await started
    if (failed) throw failed
  }
  return { shared: { url: server.url }, close }
}

/** Databases come and go by the thousand: with the default, a checkpoint would follow the other. */
const settings = { max_wal_size: '4GB' }

async function openDatabase(): Promise<Opened<SharedPostgres>> {
  const given = process.env['LADING_TEST_POSTGRES_URL']
  if (given) return await borrow(given)
  const server = await startPostgres({ settings })
  return { shared: { url: server.url }, close: () => server.stop() }
}

/**
 * A server that somebody else keeps: tests create and drop databases of their own there, and nothing else.
 */
async function borrow(url: string): Promise<Opened<SharedPostgres>> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  const refused = (error: unknown) => {
    throw new Unavailable(
      `LADING_TEST_POSTGRES_URL: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  await client.connect().catch(refused)
  await client.end()
  return { shared: { url }, close: async () => {} }
}
