/** How much of a file is read right when one thing in it is amiss, with nothing stated. */
import { readInferred } from '../../test/support/inferred.ts'
import { scoreOf } from '../polluted/score.ts'
import { type Variant, variants } from '../polluted/variants.ts'
import type { Cost } from '../process.ts'
import { whole } from '../report.ts'
import type { Section } from './section.ts'

/** Variants of the clean file. */
const files = 2290

export const polluted: Section = {
  name: 'polluted',
  heading: 'Files in which something is amiss',
  about: `No speed, but how much of a file is read right with nothing stated. A clean file of 83 records and 9 columns is written in ${whole(files)} ways:
without a header, with a preamble, with another delimiter or quote, and with a delimiter or a quote too many or too few at each row and
column. Each is read as \`lading load\` reads it without a model: by what inspection finds, with the product's own splitter and reader. A
rejected record is missing. A file counts up to 10 points: 1 if it is not refused, and the precision, the recall and their harmonic
mean of the names in the header, of the records, and of the cells, against what is right for that file: the clean one, except that
a second table's records belong to it, and that a file without header, or without records, has none. Names and cells are compared as
texts in any order. The measure and the kinds follow HPI's Pollock benchmark (VLDB 2023); the file and the code are ours, and what a
refused or empty file counts may differ, so compare the figures with those of Pollock with care.`,
  records: files,
  sensors: [],
  tables: async () => {
    let scores = new Map<Variant, number>()
    return [
      {
        title: `${whole(files)} polluted files, read with nothing stated`,
        unit: 'files',
        records: files,
        warmUp: false,
        servers: [],
        reset: async () => void (scores = new Map()),
        ways: [{ name: 'inspected and read', isLading: true, run: async () => readAll(scores) }],
        state: async () => undefined,
        notes: () => [scoresMarkdown(scores)],
      },
    ]
  },
}

async function readAll(scores: Map<Variant, number>): Promise<Cost> {
  const all = [...variants()]
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (const variant of all) scores.set(variant, await scoreOfVariant(variant))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuSeconds: (user + system) / 1e6, peaks: {} }
}

/** A file with an open question is refused. */
export async function scoreOfVariant(variant: Variant): Promise<number> {
  try {
    const { sniffed, fields, records } = await readInferred(variant.bytes)
    if (sniffed.questions.some(({ otherwise }) => otherwise === undefined)) return scoreOf(undefined, variant)
    const { header, names } = sniffed.dialect ?? {}
    return scoreOf({ header: header === true || names !== undefined ? fields : [], records }, variant)
  } catch {
    return scoreOf(undefined, variant)
  }
}

function scoresMarkdown(scores: ReadonlyMap<Variant, number>): string {
  const row = (kind: string, some: readonly number[]) =>
    `| ${kind} | ${whole(some.length)} | ${mean(some).toFixed(3)} | ${Math.min(...some).toFixed(3)} |`
  const kinds = Map.groupBy(scores, ([{ kind }]) => kind)
  return [
    '| kind | files | score of 10 | lowest |',
    '|---|---|---|---|',
    ...[...kinds].map(([kind, group]) =>
      row(
        kind,
        group.map(([, score]) => score),
      ),
    ),
    row('**all**', [...scores.values()]),
  ].join('\n')
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length
