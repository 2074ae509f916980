/** How time and memory grow with the number of files, and with the number of records. */
import type { Size } from '../data.ts'
import { type Figures, figuresOf, median } from '../figures.ts'
import { loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { type Panel, panels, type Point } from '../panels.ts'
import { measurable } from '../context.ts'
import { resetTable, tableState } from '../postgres.ts'
import type { Result } from '../results.ts'
import type { Table } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Picture, Section } from './section.ts'

const inSmallFiles = (sensors: number): Size => ({ sensors, records: 20 * sensors })
const inLargeFiles = (records: number): Size => ({ sensors: records / 100_000, records })

/** Files of so many records are small. */
const isSmall = ({ sensors, records }: Size): boolean => records / sensors <= 20

export const growth: Section = {
  name: 'growth',
  heading: 'How it grows',
  about: `Files of 20 records, from 1,000 of them to 100,000, and 1,000,000 to 100,000,000 records in files of 100,000, into a table with
primary key and BRIN index. One run each, without a warm-up. Dashed: the time of the smallest, in proportion.`,
  records: 20,
  perFile: true,
  sensors: [1000],
  sizes: [
    ...[100_000, 10_000, 1000].map(inSmallFiles),
    ...[1_000_000, 10_000_000, 100_000_000].map(inLargeFiles),
  ],
  tables: async (context, size) => {
    const server = await context.postgres()
    const data = await context.data(size)
    const table: Table = {
      title: filesOf(size),
      unit: 'rows',
      records: size.records,
      warmUp: false,
      rounds: 1,
      ways: loadWays({
        data: data.folder,
        model: userModel('records-brin', context.temporary),
        target: server.url,
        consumers: [2],
      }),
      servers: measurable(['PostgreSQL', server]),
      reset: () => resetTable(server.url, recordsBrin),
      state: () => tableState(server.url, recordsBrin),
    }
    return [table]
  },
  picture: pictureOf,
}

function pictureOf(results: readonly Result[]): Picture {
  const small = results.filter(({ size }) => isSmall(size))
  const large = results.filter(({ size }) => !isSmall(size))
  const bySensors = (result: Result) => result.size.sensors
  const byRecords = (result: Result) => result.size.records
  return {
    svg: panels([
      timePanel('number of files', small, bySensors),
      timePanel('number of records', large, byRecords),
      memoryPanel('number of files', small, bySensors),
      memoryPanel('number of records', large, byRecords),
    ]),
    alternative: 'Time and memory by the number of files and of records; the figures are in the tables below',
  }
}

type Measure = (result: Result) => number

const timePanel = (of: string, results: readonly Result[], x: Measure): Panel => ({
  title: `Seconds, by ${of}`,
  scale: 'logarithmic',
  points: pointsOf(results, x, ({ way }) => median(way.runs.map(({ seconds }) => seconds))),
})

const memoryPanel = (of: string, results: readonly Result[], x: Measure): Panel => ({
  title: `MiB of the largest process, by ${of}`,
  scale: 'linear',
  points: pointsOf(results, x, ({ peaks }) => Math.max(...Object.values(peaks))),
})

const pointsOf = (results: readonly Result[], x: Measure, y: (figures: Figures) => number): Point[] =>
  results
    .flatMap((result) => result.tables.flatMap(figuresOf).map((figures) => ({ x: x(result), y: y(figures) })))
    .sort((a, b) => a.x - b.x)
