/**
 * What `lading doctor` finds of a PostgreSQL database. Each check has its own statements and its own findings;
 * one that fails says so and hides no other. Nothing stays: the only writes are those of `cost.ts`, which are
 * rolled back.
 */
import { Connection } from '../../../driver/postgres/connection.ts'
import { OwnSessions } from '../../../driver/postgres/sessions.ts'
import { checked, failure, type Finding } from '../../../core/finding.ts'
import type { SinkExamination, SinkQuestions, TableQuestions } from '../../examination.ts'
import { PostgresSink } from '../postgres.ts'
import { costs } from './cost.ts'
import { durability } from './durability.ts'
import { ledgerState } from './ledger-state.ts'
import { limits } from './limits.ts'
import { pooler } from './pooler.ts'
import { rights, tableRights } from './rights.ts'
import { clock, server, zones } from './server.ts'
import { tableState } from './table-state.ts'
import type { Check, TableCheck, Visit } from './visit.ts'
import { logSettings } from './wal.ts'

const ofDatabase: readonly (readonly [what: string, check: Check])[] = [
  ['server', server],
  ['rights', rights],
  ['durability', durability],
  ['write-ahead log', logSettings],
  ['limits', limits],
  ['clock', clock],
  ['time zones', zones],
  ['ledger', ledgerState],
]

const ofTable: readonly (readonly [what: string, check: TableCheck])[] = [
  ['rights', tableRights],
  ['table', tableState],
  ['speed', costs],
]

export const examine = (url: string, questions: SinkQuestions): SinkExamination =>
  new PostgresExamination(url, questions)

class PostgresExamination implements SinkExamination {
  readonly #connection: Connection
  readonly #other: Connection
  readonly #questions: SinkQuestions
  readonly sink: PostgresSink
  #isUsable = false

  constructor(url: string, questions: SinkQuestions) {
    const sessions = new OwnSessions(url)
    this.#connection = new Connection(sessions, { isGuest: true })
    this.#other = new Connection(sessions, { isGuest: true })
    this.#questions = questions
    this.sink = new PostgresSink(url, { isGuest: true })
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  async *database(): AsyncGenerator<Finding> {
    try {
      await this.#visit(async () => undefined)
    } catch (thrown) {
      yield failure('database', 'connection', thrown)
      return
    }
    const pooled = await checked('database', 'pooler', (add) => this.#visit((visit) => pooler(visit, add)))
    yield* pooled
    this.#isUsable = pooled.every(({ level }) => level !== 'fail')
    for (const [what, check] of ofDatabase)
      yield* await checked('database', what, (add) => this.#visit((visit) => check(visit, add)))
  }

  async *table(table: TableQuestions): AsyncGenerator<Finding> {
    for (const [what, check] of ofTable)
      yield* await checked('table', what, (add) => this.#visit((visit) => check({ ...visit, table }, add)))
  }

  #visit(work: (visit: Visit) => Promise<void>): Promise<void> {
    const { signal } = this.#questions
    const beside: Visit['beside'] = (other) => this.#other.use(other, signal)
    return this.#connection.use((client) => work({ client, questions: this.#questions, beside }), signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    await this.#other[Symbol.asyncDispose]()
    await this.sink[Symbol.asyncDispose]()
  }
}
