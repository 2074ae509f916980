import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly records: number
  readonly sensors: number
  readonly rounds: number
  readonly consumers: readonly number[]
  readonly sections: readonly Section[]
  /** Settings of the private PostgreSQL, over its defaults. */
  readonly settings: Readonly<Record<string, string>>
  readonly json: boolean
  readonly build: boolean
}

export const sections = ['brin', 'hash', 'sqlite'] as const
export type Section = (typeof sections)[number]

const usage = `Usage: npm run bench -- [options]

  --records N          records of all files together (1000000)
  --sensors N          files (1000)
  --rounds N           measured rounds after the warm-up (3)
  --consumers LIST     consumers of lading load (1,2)
  --targets LIST       tables: ${sections.join(', ')} (all)
  --shared-buffers V   of the private PostgreSQL (2GB)
  --max-wal-size V     of the private PostgreSQL (8GB)
  --no-build           measure dist/ as it is
  --json               print JSON`

/** Undefined where only help was wanted, which is printed. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      records: { type: 'string', default: '1000000' },
      sensors: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
      consumers: { type: 'string', default: '1,2' },
      targets: { type: 'string', default: sections.join(',') },
      'shared-buffers': { type: 'string', default: '2GB' },
      'max-wal-size': { type: 'string', default: '8GB' },
      build: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return undefined
  }
  const records = count('--records', values.records)
  const sensors = count('--sensors', values.sensors)
  if (records % sensors !== 0)
    throw new Error(`--records ${records} is no multiple of --sensors ${sensors}: all files have the same length`)
  return {
    records,
    sensors,
    rounds: count('--rounds', values.rounds),
    consumers: values.consumers.split(',').map((text) => count('--consumers', text)),
    sections: values.targets.split(',').map(sectionOf),
    settings: { shared_buffers: values['shared-buffers'], max_wal_size: values['max-wal-size'] },
    json: values.json,
    build: values.build,
  }
}

function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number of 1 or more, not ${text}\n\n${usage}`)
  return value
}

function sectionOf(text: string): Section {
  const section = sections.find((each) => each === text)
  if (section === undefined) throw new Error(`--targets knows ${sections.join(', ')}, not ${text}`)
  return section
}
