/** What `lading doctor` finds of a database of MariaDB or MySQL. It writes nothing but a temporary table of its own. */
import { checked, failure, type Finding } from '../../../core/finding.ts'
import type { SinkExamination, SinkQuestions, TableQuestions } from '../../examination.ts'
import { Connection } from '../connection.ts'
import { MysqlSink } from '../mysql.ts'
import type { Session } from '../session.ts'
import type { Check, TableCheck } from './check.ts'
import { durability, replication } from './durability.ts'
import { connection, server, size } from './server.ts'
import { ledger, rights } from './rights.ts'
import { tableRights, tableState } from './table.ts'

const ofDatabase: readonly (readonly [what: string, check: Check])[] = [
  ['connection', connection],
  ['version', server],
  ['durability', durability],
  ['replication', replication],
  ['size', size],
  ['rights', rights],
  ['ledger', ledger],
]

const ofTable: readonly (readonly [what: string, check: TableCheck])[] = [
  ['rights', tableRights],
  ['table', tableState],
]

export const examine = (url: string, questions: SinkQuestions): SinkExamination =>
  new MysqlExamination(url, questions)

class MysqlExamination implements SinkExamination {
  readonly sink: MysqlSink
  readonly #connection: Connection
  readonly #questions: SinkQuestions
  #isUsable = false

  constructor(url: string, questions: SinkQuestions) {
    this.#connection = new Connection(url)
    this.#questions = questions
    this.sink = new MysqlSink(url)
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
    this.#isUsable = true
    for (const [what, check] of ofDatabase)
      yield* await checked('database', what, (add) =>
        this.#visit((session) => check(session, add, this.#questions)),
      )
  }

  async *table(questions: TableQuestions): AsyncGenerator<Finding> {
    for (const [what, check] of ofTable)
      yield* await checked('table', what, (add) => this.#visit((session) => check(session, add, questions)))
  }

  #visit(work: (session: Session) => Promise<void>): Promise<void> {
    return this.#connection.use(work, this.#questions.signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    await this.sink[Symbol.asyncDispose]()
  }
}
