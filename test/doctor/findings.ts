/** Shared by the tests of `lading doctor`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { type DoctorOptions, examine } from '../../src/doctor/doctor.ts'
import { type FreshDatabase, freshDatabase } from '../../tooling/servers/database.ts'
import { query } from '../support/fixture.ts'

/** A folder with an embedded queue that is not made yet. */
export class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'lading-doctor-test-'))

  file(name: string, lines: readonly string[]): string {
    const path = join(this.folder, name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }

  get queue(): string {
    return `embedded:${join(this.folder, 'queue.db')}`
  }

  /** What is found of a load with these options. */
  async findings(options: Partial<DoctorOptions>): Promise<readonly Finding[]> {
    const found: Finding[] = []
    for await (const finding of examine({
      paths: [],
      to: `sqlite:${join(this.folder, 'target.db')}`,
      queue: this.queue,
      statePath: join(this.folder, 'producer.db'),
      measureMs: 200,
      ...options,
    }))
      found.push(finding)
    return found
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

export const named = (found: readonly Finding[], what: string): readonly Finding[] =>
  found.filter((finding) => finding.what === what)

export const levels = (found: readonly Finding[], level: Finding['level']): readonly string[] =>
  found.filter((finding) => finding.level === level).map(({ what, detail }) => `${what}: ${detail}`)

/** A place for each test. */
function usePlace(): () => Place {
  let place: Place
  beforeEach(() => void (place = new Place()))
  afterEach(() => place[Symbol.dispose]())
  return () => place
}

/** A place, and the file of a SQLite database in it, for each test. */
export function useSqlite() {
  const place = usePlace()
  const path = () => join(place().folder, 'target.db')
  return {
    get place() {
      return place()
    },
    path,
    /** Runs the statements in the database. */
    made: (sql: string): void => {
      const database = new DatabaseSync(path())
      database.exec(sql)
      database.close()
    },
  }
}

/** A place, and a PostgreSQL database, for each test. */
export function usePostgres() {
  const place = usePlace()
  let database: FreshDatabase
  beforeEach(async () => void (database = await freshDatabase()))
  afterEach(() => database.drop())
  return {
    get place() {
      return place()
    },
    get url() {
      return database.url
    },
    sql: <Row>(statement: string) => query<Row>(database.url, statement),
  }
}
