/** What `lading doctor` finds of a SQLite file. It keeps its journal mode, and is only read. */
import { existsSync } from 'node:fs'
import { failure, checked, type Finding, findingsAbout } from '../../../core/finding.ts'
import { fileFindings, lockFindings } from '../../../core/file-findings.ts'
import { LadingError } from '../../../core/errors.ts'
import { SqliteFile } from '../../../core/sqlite.ts'
import type { SinkExamination, TableQuestions } from '../../examination.ts'
import { sinkError } from '../errors.ts'
import { ledgerVersion } from '../prepare.ts'
import { migrations } from '../schema.ts'
import { SqliteSink } from '../sqlite.ts'
import { costs } from './cost.ts'
import { noTable, tableFindings } from './table-state.ts'

const { ok, note, warn, fail } = findingsAbout('database')

export const examine = (url: string): SinkExamination => new SqliteExamination(url)

class SqliteExamination implements SinkExamination {
  readonly sink: SqliteSink
  readonly #path: string
  #isUsable = false

  constructor(url: string) {
    this.#path = url.slice(url.indexOf(':') + 1)
    if (this.#path === '') throw new LadingError('USAGE', 'the database URL names no file: sqlite:PATH')
    this.sink = new SqliteSink(this.#path, { isGuest: true })
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  get #exists(): boolean {
    return this.#path !== ':memory:' && existsSync(this.#path)
  }

  async *database(): AsyncGenerator<Finding> {
    this.#isUsable = true
    if (this.#path === ':memory:') {
      yield note('database', 'it is in memory, and gone with the process that opens it')
      return
    }
    const found = [...fileFindings('database', this.#path)]
    yield* found
    if (!this.#exists) {
      yield note(
        'database',
        'there is none yet: the first load makes it, in WAL mode, and each commit waits for the disk',
      )
      return
    }
    try {
      yield* this.#open((file) => [...stateOf(file)])
    } catch (thrown) {
      this.#isUsable = false
      yield failure('database', 'database', thrown)
      return
    }
    // v8 ignore next -- where tests run as root, there is no file that may not be written
    if (found.some(({ level }) => level === 'fail')) return
    yield* await checked('database', 'lock', (add) => add(...lockFindings('database', this.#path)))
  }

  async *table(questions: TableQuestions): AsyncGenerator<Finding> {
    if (this.#exists)
      yield* await checked('table', 'table', (add) =>
        this.#open((file) => add(...tableFindings(file, questions))),
      )
    else yield noTable(questions)
    yield* await checked('table', 'speed', (add) =>
      this.#exists ? this.#open((file) => costs(file, questions, add)) : costs(undefined, questions, add),
    )
  }

  /** Errors come out as ours. */
  #open<T>(work: (file: SqliteFile) => T): T {
    const file = this.#guard(() => new SqliteFile(this.#path, { isGuest: true }))
    let result: T
    try {
      result = this.#guard(() => work(file))
    } catch (error) {
      file[Symbol.dispose]()
      throw error
    }
    if (result instanceof Promise) return result.finally(() => file[Symbol.dispose]()) as T
    file[Symbol.dispose]()
    return result
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sinkError(error, this.#path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink[Symbol.asyncDispose]()
  }
}

function* stateOf(file: SqliteFile): Generator<Finding> {
  const pragma = (name: string) =>
    Object.values(file.get<Record<string, string | number>>(`PRAGMA ${name}`) ?? {})[0]
  const { version = '' } = file.get<{ version: string }>('SELECT sqlite_version() AS version') ?? {}
  const encoding = pragma('encoding')
  yield ok('version', `SQLite ${version}, ${encoding}, pages of ${pragma('page_size')} bytes`)
  const mode = String(pragma('journal_mode'))
  if (mode === 'wal') yield ok('journal mode', 'WAL: others may read while a load writes')
  else
    yield note(
      'journal mode',
      `${mode}: the first command of Lading that writes switches the file to WAL, which stays. Programs on other machines could not open it any more`,
      'PRAGMA journal_mode = WAL;',
    )
  yield ok(
    'durability',
    'Lading commits with synchronous FULL: what was confirmed survives a power cut. What other programs write follows their own setting',
  )
  const ledger = ledgerVersion(file)
  if (ledger === 0) yield note('ledger', 'there is none yet: the first load makes it, in tables lading_…')
  else if (ledger > migrations.length)
    yield fail(
      'ledger',
      `LEDGER_NEWER: it has version ${ledger}, and this Lading knows ${migrations.length}`,
      'npm install lading@latest',
    )
  else {
    const { open = 0 } =
      file.get<{ open: number }>('SELECT count(*) AS open FROM lading_load WHERE complete = 0') ?? {}
    yield open === 0
      ? ok('ledger', `version ${ledger}, every load is complete`)
      : warn(
          'ledger',
          `${open} load${open === 1 ? ' is' : 's are'} not complete: at work, or interrupted`,
          'lading verify',
        )
  }
}
