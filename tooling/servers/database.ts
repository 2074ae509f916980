/**
 * What tests use of the run's shared PostgreSQL (test/setup.ts): databases of their own, and a loud skip
 * where there is no server.
 */
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { describe, inject } from 'vitest'

/** The server that every test of a run shares, or why there is none. */
export type SharedPostgres = { readonly url: string } | { readonly reason: string }

declare module 'vitest' {
  interface ProvidedContext {
    postgres: SharedPostgres
  }
}

export interface FreshDatabase extends AsyncDisposable {
  readonly url: string
  /** Ends the database's sessions and removes it. */
  drop(): Promise<void>
}

/** `describe` for tests that need PostgreSQL: skipped with the reason in the title where it cannot be had. */
export function describePostgres(name: string, tests: () => void): void {
  const postgres = inject('postgres')
  if ('url' in postgres) describe(name, tests)
  else describe.skip(`${name} (SKIPPED: no PostgreSQL)`, tests)
}

/** A new, empty database on the shared server. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const postgres = inject('postgres')
  if (!('url' in postgres)) throw new Error(postgres.reason)
  const name = `lading_test_${randomUUID().replaceAll('-', '')}`
  await execute(postgres.url, `create database ${name} template template0`)
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  const drop = () => execute(postgres.url, `drop database if exists ${name} with (force)`)
  return { url: url.href, drop, [Symbol.asyncDispose]: drop }
}

/** After the databases in which it has rights. */
export async function dropRole(name: string): Promise<void> {
  const postgres = inject('postgres')
  if ('url' in postgres) await execute(postgres.url, `drop role if exists ${name}`)
}

async function execute(url: string, sql: string): Promise<void> {
  await (await sessionOf(url)).query(sql)
}

const sessions = new Map<string, Promise<Client>>()

/**
 * One session for each database and test file, until the database is dropped or the session ended: to begin one takes as
 * long as to make a database.
 */
export function sessionOf(url: string): Promise<Client> {
  const session = sessions.get(url) ?? connected(url)
  sessions.set(url, session)
  return session
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'tests' })
  const forget = () => void sessions.delete(url)
  client.on('error', forget)
  client.on('end', forget)
  await client.connect().catch((error: unknown) => {
    forget()
    throw error
  })
  return client
}
