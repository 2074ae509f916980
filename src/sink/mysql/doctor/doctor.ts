/** What `lading doctor` finds of a database of MariaDB or MySQL. */
import { checked, failure, type Finding, findingsAbout } from '../../../core/finding.ts'
import { tableName } from '../../../model/model.ts'
import { shownTable } from '../../../model/table.ts'
import type { SinkExamination, TableQuestions } from '../../examination.ts'
import { MysqlSink } from '../mysql.ts'

const { ok } = findingsAbout('database')
const table = findingsAbout('table')

export const examine = (url: string): SinkExamination => new MysqlExamination(url)

class MysqlExamination implements SinkExamination {
  readonly sink: MysqlSink
  #isUsable = false

  constructor(url: string) {
    this.sink = new MysqlSink(url)
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  async *database(): AsyncGenerator<Finding> {
    try {
      const isThere = await this.sink.ledger.isThere?.()
      this.#isUsable = true
      yield ok(
        'database',
        isThere === true ? 'it has a ledger' : 'it has no ledger yet: the first load makes it',
      )
    } catch (thrown) {
      yield failure('database', 'database', thrown)
    }
  }

  async *table({ name, model }: TableQuestions): AsyncGenerator<Finding> {
    const shown = model === undefined ? shownTable(name) : tableName(model)
    yield* await checked('table', 'table', async (add) => {
      const facts = await this.sink.table(name)
      add(
        table.ok(
          'table',
          facts === undefined ? `${shown} is not there yet: a load makes it` : `${shown} is there`,
        ),
      )
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sink[Symbol.asyncDispose]()
  }
}
