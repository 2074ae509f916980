/** What `lading doctor` finds of a DuckDB file, which it opens to read alone: not a byte of it changes. */
import { existsSync } from 'node:fs'
import { checked, failure, type Finding, findingsAbout } from '../../../core/finding.ts'
import { fileFindings } from '../../../core/file-findings.ts'
import { LadingError } from '../../../core/errors.ts'
import { sql } from '../../sql/statement.ts'
import type { SinkExamination, TableQuestions } from '../../examination.ts'
import { DuckdbSink, pathOf } from '../duckdb.ts'
import { DuckdbFile, inMemory } from '../file.ts'
import { ledgerVersion } from '../prepare.ts'
import { migrations } from '../schema.ts'
import type { Session } from '../session.ts'
import { costs } from './cost.ts'
import { noTable, tableFindings } from './table-state.ts'

const { ok, note, warn, fail } = findingsAbout('database')

export const examine = (url: string): SinkExamination => new DuckdbExamination(url)

class DuckdbExamination implements SinkExamination {
  readonly sink: DuckdbSink
  readonly #path: string
  #isUsable = false

  constructor(url: string) {
    this.#path = pathOf(url)
    this.sink = new DuckdbSink(this.#path, { isGuest: true })
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  get #exists(): boolean {
    return this.#path !== inMemory && existsSync(this.#path)
  }

  async *database(): AsyncGenerator<Finding> {
    this.#isUsable = true
    if (this.#path === inMemory) {
      yield note('database', 'it is in memory, and gone with the process that opens it')
      return
    }
    yield* fileFindings('database', this.#path)
    if (!this.#exists) {
      yield note('database', 'there is none yet: the first load makes it, and each commit waits for the disk')
      return
    }
    try {
      yield* await this.#open(stateOf)
    } catch (thrown) {
      this.#isUsable = false
      yield isHeld(thrown)
        ? warn('lock', `${thrown.message}: a load waits until it is done`)
        : failure('database', 'database', thrown)
    }
  }

  async *table(questions: TableQuestions): AsyncGenerator<Finding> {
    if (this.#exists)
      yield* await checked('table', 'table', async (add) =>
        add(...(await this.#open((session) => tableFindings(session, questions)))),
      )
    else yield noTable(questions)
    yield* await checked('table', 'speed', (add) => costs(questions, add))
  }

  async #open<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const file = DuckdbFile.at(this.#path, true)
    try {
      return await file.use(work)
    } finally {
      await file.release()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink[Symbol.asyncDispose]()
  }
}

const isHeld = (thrown: unknown): thrown is LadingError =>
  thrown instanceof LadingError && thrown.code === 'SINK_BUSY'

async function stateOf(session: Session): Promise<readonly Finding[]> {
  const found: Finding[] = []
  const [row] = await session.all(sql`SELECT version() AS version`)
  found.push(
    ok('version', `DuckDB ${String(row?.['version']).replace(/^v/, '')}`),
    ok('durability', 'what was confirmed is in the log of the file on the disk, and survives a power cut'),
    note('readers', 'while a load has the file open, no other process can open it, not even to read'),
  )
  const version = await ledgerVersion(session)
  if (version === 0)
    found.push(note('ledger', 'there is none yet: the first load makes it, in tables lading_…'))
  else if (version > migrations.length)
    found.push(
      fail(
        'ledger',
        `LEDGER_NEWER: it has version ${version}, and this Lading knows ${migrations.length}`,
        'npm install lading@latest',
      ),
    )
  else {
    const [counted] = await session.all(sql`SELECT count(*) AS open FROM lading_load WHERE NOT complete`)
    const open = Number(counted?.['open'])
    found.push(
      open === 0
        ? ok('ledger', `version ${version}, every load is complete`)
        : warn(
            'ledger',
            `${open} load${open === 1 ? ' is' : 's are'} not complete: interrupted`,
            'lading verify',
          ),
    )
  }
  return found
}
