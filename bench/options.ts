import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Undefined means that each section has its own. */
  readonly records: number | undefined
  readonly sensors: readonly number[] | undefined
  readonly rounds: number
  readonly consumers: readonly number[]
  readonly sections: readonly SectionName[]
  /** Only ways whose name holds it, beside the one that all are compared with. */
  readonly only: string | undefined
  /** Settings of the private PostgreSQL, over its defaults. */
  readonly settings: Readonly<Record<string, string>>
  readonly json: boolean
  readonly build: boolean
  readonly write: boolean
  readonly mode: 'measure' | 'render' | 'profile' | 'scale'
}

/** In the order in which they are run and told. */
export const sectionNames = [
  'brin',
  'hash',
  'fresh',
  'files',
  'growth',
  'pipeline',
  'upsert',
  'messages',
  'pgqueue',
  'redis',
  'sqs',
  'nats',
  'sqlite',
  'duckdb',
  'mariadb',
  'scaling',
  'observed',
  'polluted',
  'inferred',
  'start',
] as const
export type SectionName = (typeof sectionNames)[number]

const usage = `Usage: npm run bench -- [options]

  --targets LIST       sections: ${sectionNames.join(', ')} (all)
  --records N          records of all files together, or messages (each section's own)
  --sensors LIST       files they lie in; each number is measured by itself (each section's own)
  --rounds N           measured rounds after the warm-up (3)
  --consumers LIST     consumers of lading (1,2; the section pipeline 1,2,4)
  --ways LIST          only ways whose names hold one of these texts, beside the first; writes nothing
  --shared-buffers V   of the private PostgreSQL (2GB)
  --max-wal-size V     of the private PostgreSQL (8GB)
  --no-build           measure dist/ as it is
  --no-write           leave bench/results and docs/benchmarks.md as they are
  --json               print the results as JSON
  --render             measure nothing, write docs/benchmarks.md from bench/results
  --profile            the first way of lading of each section, or those of --ways, under the CPU profiler; prints
                       the path of what was found
  --scale              measures a large ledger and a distant database instead, and prints the tables of docs/scale.md;
                       --records N states the number of rejects, and with it the rest (1,000,000)

Results of a section with so many files and records replace those of before; all that lie in bench/results are told. Servers and
files are kept below TMPDIR: about 3 GB for each 10,000,000 records.`

/** Undefined where only help was wanted, which is printed. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      records: { type: 'string' },
      sensors: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      consumers: { type: 'string' },
      targets: { type: 'string', default: sectionNames.join(',') },
      ways: { type: 'string' },
      'shared-buffers': { type: 'string', default: '2GB' },
      'max-wal-size': { type: 'string', default: '8GB' },
      build: { type: 'boolean', default: true },
      write: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      scale: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return undefined
  }
  return {
    records: values.records === undefined ? undefined : count('--records', values.records),
    sensors: values.sensors === undefined ? undefined : counts('--sensors', values.sensors),
    rounds: count('--rounds', values.rounds),
    consumers: counts('--consumers', values.consumers ?? '1,2'),
    sections: values.targets.split(',').map(sectionOf),
    only: values.ways,
    settings: { shared_buffers: values['shared-buffers'], max_wal_size: values['max-wal-size'] },
    json: values.json,
    build: values.build,
    write: values.write && values.ways === undefined,
    mode: values.scale ? 'scale' : values.profile ? 'profile' : values.render ? 'render' : 'measure',
  }
}

const counts = (name: string, text: string): readonly number[] =>
  text.split(',').map((each) => count(name, each))

function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} must be a whole number of 1 or more, not ${text}\n\n${usage}`)
  return value
}

function sectionOf(text: string): SectionName {
  const section = sectionNames.find((each) => each === text)
  if (section === undefined) throw new Error(`--targets knows ${sectionNames.join(', ')}, not ${text}`)
  return section
}
