/** What is asked of a large ledger, by the calls that ask it, and what each reads. */
import { randomUUID } from 'node:crypto'
import type { Prunable } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import type { ScaleDatabase } from './database.ts'
import { largeLoad } from './multiply.ts'
import { chunkOf, loadOf, messageOf, pipeline, sourceOf, templates, write } from './rows.ts'

interface Question {
  readonly name: string
  /** It changes the ledger, so it is asked once. */
  readonly once?: true
  readonly ask: (sink: Sink, ids: Ids) => Promise<unknown>
}

export interface Answered {
  readonly name: string
  readonly ms: number
  readonly pages: number | undefined
  /** By table; empty where every row was found by an index. */
  readonly scanned: Readonly<Record<string, number>>
}

/** Of the ledger. */
interface Ids {
  readonly complete: readonly string[]
  readonly open: readonly string[]
}

const page = 50
const longAgo = '2000-01-01T00:00:00Z'
const soon = (): string => new Date(Date.now() + 86_400_000).toISOString()

const first = <T>(values: readonly T[]): T => values[0] as T
let made = 10_000_000

/** In the order in which they are asked: what changes most comes last. */
export const questions: readonly Question[] = [
  {
    name: 'a batch: 20 chunks of a new load',
    ask: (sink) => {
      const load = loadOf(made++, 20)
      return write(
        sink,
        Array.from({ length: 20 }, (_, chunk) => chunkOf(load, chunk)),
      )
    },
  },
  {
    name: 'a batch: 500 messages',
    ask: (sink) =>
      write(
        sink,
        Array.from({ length: 500 }, () => messageOf(made++)),
      ),
  },
  {
    name: 'a batch that is there already',
    ask: (sink) => write(sink, [chunkOf(loadOf(templates.open, 1), 0)]),
  },
  {
    name: 'the receipt of a load',
    ask: (sink, { complete }) => sink.ledger.receipts({ loads: [first(complete)] }),
  },
  {
    name: 'the receipts of 500 loads',
    ask: (sink, { complete }) => sink.ledger.receipts({ loads: complete }),
  },
  {
    name: 'which of 500 loads are settled',
    ask: async (sink, { complete }) => sink.ledger.settled?.(complete),
  },
  {
    name: 'whether 256 files were loaded before',
    ask: (sink) =>
      sink.ledger.newest(
        pipeline,
        Array.from({ length: 256 }, (_, index) => sourceOf(1_000_001 + index)),
      ),
  },
  {
    name: 'the last part of a file that grows',
    ask: async (sink) => sink.ledger.parts?.(pipeline, sourceOf(1_000_001)),
  },
  { name: 'a page of history', ask: (sink) => sink.ledger.receipts({ limit: page + 1 }) },
  {
    name: 'the next page',
    ask: (sink, { complete }) => sink.ledger.receipts({ after: first(complete), limit: page + 1 }),
  },
  {
    name: 'a page of open loads',
    ask: (sink) => sink.ledger.receipts({ standing: 'open', limit: page + 1 }),
  },
  {
    name: 'a page of loads with rejects',
    ask: (sink) => sink.ledger.receipts({ standing: 'rejects', limit: page + 1 }),
  },
  {
    name: 'a page of files by a part of their name',
    ask: (sink) => sink.ledger.receipts({ named: 'sensor-1000009', limit: page + 1 }),
  },
  {
    name: 'a load by the beginning of its id',
    ask: (sink, { complete }) => sink.ledger.named(first(complete).slice(0, 8)),
  },
  { name: 'a page of rejects', ask: (sink) => sink.ledger.rejects({ limit: page }) },
  { name: 'the reasons of all rejects', ask: (sink) => sink.ledger.rejectGroups({}) },
  { name: 'a page of dead letters', ask: (sink) => sink.ledger.deadLetters({ limit: page }) },
  { name: 'rejects and letters of messages', ask: (sink) => sink.ledger.messages({}) },
  { name: '`verify`: every receipt', ask: (sink) => sink.ledger.receipts({}) },
  ...(['rejects', 'letters', 'messages', 'loads'] as const).map((what) => ({
    name: `\`prune --what ${what} --dry-run\``,
    ask: async (sink: Sink) => sink.ledger.prunable?.({ what, before: soon() }),
  })),
  {
    name: 'the fold of 500 loads of three chunks',
    once: true,
    ask: (sink, { open }) => sink.ledger.fold(open),
  },
  {
    name: 'the fold of the load of many chunks',
    once: true,
    ask: (sink) => sink.ledger.fold([loadOf(largeLoad, 1).id]),
  },
  ...(['rejects', 'letters', 'messages', 'loads'] as const).map((what): Question => ({
    name: `a page of 500 of \`prune --what ${what} --open\``,
    once: true,
    ask: (sink) => prunePage(sink, what),
  })),
  {
    name: 'nothing to prune',
    ask: async (sink) => sink.ledger.prune?.({ what: 'loads', before: longAgo }, { limit: 500 }),
  },
]

const prunePage = async (sink: Sink, what: Prunable) =>
  sink.ledger.prune?.({ what, before: soon(), open: true }, { limit: 500 })

export async function answers(database: ScaleDatabase, rounds: number): Promise<readonly Answered[]> {
  const ids = async (where: string) =>
    (await database.ask(`SELECT id FROM ${database.table('load')} WHERE ${where} ORDER BY id LIMIT 500`)).map(
      (row) => String(row['id']),
    )
  const known = { complete: await ids('complete AND rejected = 0'), open: await ids('chunks = 3') }
  const answered: Answered[] = []
  for (const question of questions)
    answered.push(await answerOf(database, question, known, question.once === true ? 1 : rounds))
  return answered
}

/** The least of some rounds. */
async function answerOf(
  database: ScaleDatabase,
  { name, ask }: Question,
  ids: Ids,
  rounds: number,
): Promise<Answered> {
  let least: Answered | undefined
  for (let round = 0; round < rounds; round++) {
    const before = await database.reading()
    let ms = 0
    {
      await using sink = await database.open()
      // What is asked first, by anyone, opens the session.
      await sink.ledger.progress(randomUUID())
      const start = performance.now()
      await ask(sink, ids)
      ms = performance.now() - start
    }
    const after = await database.reading()
    const scanned = Object.entries(after?.scanned ?? {}).map(
      ([table, rows]) => [table, rows - (before?.scanned[table] ?? 0)] as const,
    )
    const answer = {
      name,
      ms,
      pages: after === undefined ? undefined : after.pages - (before?.pages ?? 0),
      scanned: Object.fromEntries(scanned.filter(([table, rows]) => rows > 0 && table !== 'migration')),
    }
    if (least === undefined || answer.ms < least.ms) least = answer
  }
  return least as Answered
}
