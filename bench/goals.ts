/** What Lading aims at, and how far it is: the first table of docs/benchmarks.md. */
import { type Figures, figuresOf } from './figures.ts'
import type { SectionName } from './options.ts'
import { times } from './report.ts'
import type { Result } from './results.ts'

interface Goal {
  readonly work: string
  readonly section: SectionName
  /** Of the section's sizes, where it has several. */
  readonly files?: number
  /** Of the section's tables, where it has several. */
  readonly table?: RegExp
  readonly measure: (ways: readonly Figures[]) => number | undefined
  readonly unit: 'times' | 'MiB' | 's'
  readonly atLeast?: number
  readonly atMost?: number
}

/** Without a flag that says what is done otherwise. */
const plain = /^`lading load( --consumers \d+)?`$/
const throughBroker = /^`lading load --queue amqp:\/\/…( --consumers \d+)?`$/

const goals: readonly Goal[] = [
  {
    work: '10,000 files of 20 records, to `psql` with a `\\copy` for each',
    section: 'files',
    files: 10_000,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 1,
  },
  {
    work: 'the same files a second time, part of the time of the first',
    section: 'files',
    files: 10_000,
    measure: part(/second time/, plain),
    unit: 'times',
    atMost: 0.15,
  },
  {
    work: '100,000 files of 20 records: memory of the largest process',
    section: 'growth',
    files: 100_000,
    measure: memory(/lading/),
    unit: 'MiB',
    atMost: 128,
  },
  {
    work: '`lading --help`, to the time of `node -e 0`',
    section: 'start',
    table: /loads nothing/,
    measure: part(/--help/, /node/),
    unit: 'times',
    atMost: 2.2,
  },
  {
    work: '1,000,000 records in 10 files, key and BRIN index, to `psql \\copy`',
    section: 'brin',
    files: 10,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 1.25,
  },
  {
    work: '5,000,000 records in 50 files',
    section: 'brin',
    files: 50,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 1.6,
  },
  {
    work: 'the same through a quorum queue of RabbitMQ, the bytes in its messages',
    section: 'brin',
    files: 50,
    measure: fastest(throughBroker),
    unit: 'times',
    atLeast: 1.4,
  },
  {
    work: 'the same: CPU time of all processes of Lading for 1,000,000 records',
    section: 'brin',
    files: 50,
    measure: cpuOfMillion(plain),
    unit: 's',
    atMost: 0.4,
  },
  {
    work: 'the same into a table that does not exist, to `psql \\copy` into one with indexes',
    section: 'fresh',
    files: 50,
    measure: fastest(/^`lading load`$/),
    unit: 'times',
    atLeast: 2.3,
  },
  {
    work: 'the same without a model, to the load with one',
    section: 'inferred',
    measure: fastest(/--table/),
    unit: 'times',
    atLeast: 0.87,
  },
  {
    work: '10,000,000 records, any queue: memory of the largest process',
    section: 'brin',
    files: 100,
    measure: memory(/lading/),
    unit: 'MiB',
    atMost: 128,
  },
  {
    work: 'messages of 200 bytes from RabbitMQ: memory of the consumer',
    section: 'messages',
    measure: memory(/lading consume/),
    unit: 'MiB',
    atMost: 160,
  },
  {
    work: 'the same, to the rate of the consumer without a database',
    section: 'messages',
    measure: (ways) => invert(part(/`lading consume`$/, /without a database/)(ways)),
    unit: 'times',
    atLeast: 0.85,
  },
  {
    work: '50,000 login events from SQS, to `sqs-consumer` with an INSERT for each ten',
    section: 'sqs',
    measure: fastest(/lading/),
    unit: 'times',
    atLeast: 4,
  },
  {
    work: '1,000,000 records in 10 files into SQLite, to `.import`',
    section: 'sqlite',
    files: 10,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 1.4,
  },
  {
    work: '1,000,000 records in 10 files into DuckDB, to `COPY … FROM`',
    section: 'duckdb',
    files: 10,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 0.6,
  },
  {
    work: '1,000,000 records in 10 files into MariaDB, to `LOAD DATA LOCAL INFILE`',
    section: 'mariadb',
    files: 10,
    measure: fastest(plain),
    unit: 'times',
    atLeast: 0.8,
  },
  {
    work: "messages from a queue in the target's PostgreSQL, to those from a quorum queue of RabbitMQ",
    section: 'pgqueue',
    measure: part(/RabbitMQ/, /`lading consume`, in the target/),
    unit: 'times',
    atLeast: 0.7,
  },
]

type Measure = Goal['measure']

/** The largest ratio to the first way of the table. */
function fastest(name: RegExp): Measure {
  return (ways) => largest(ways, name, ({ ratio }) => ratio)
}

function memory(name: RegExp): Measure {
  return (ways) => largest(ways, name, ({ peaks }) => Math.max(...Object.values(peaks)))
}

function cpuOfMillion(name: RegExp): Measure {
  return (ways) => {
    const least = largest(ways, name, ({ way, clientCpuSeconds }) => -clientCpuSeconds / way.records)
    return least === undefined ? undefined : -least * 1_000_000
  }
}

/** The part that the time of the one is of the time of the other. */
function part(one: RegExp, other: RegExp): Measure {
  return (ways) => {
    const [a, b] = [one, other].map((name) => fastest(name)(ways))
    return a === undefined || b === undefined ? undefined : b / a
  }
}

const invert = (value: number | undefined) => (value === undefined ? undefined : 1 / value)

function largest(
  ways: readonly Figures[],
  name: RegExp,
  valueOf: (figures: Figures) => number,
): number | undefined {
  const values = ways.filter(({ way }) => name.test(way.name)).map(valueOf)
  return values.length === 0 ? undefined : Math.max(...values)
}

export function goalsText(results: readonly Result[]): string {
  const rows = goals.flatMap((goal) => {
    const value = measured(goal, results)
    return value === undefined
      ? []
      : [`| ${goal.work} | ${shown(value, goal)} | ${aim(goal)} | \`${goal.section}\` |`]
  })
  return ['| work | measured | aim | section |', '|---|---|---|---|', ...rows].join('\n')
}

function measured(goal: Goal, results: readonly Result[]): number | undefined {
  const result = results.find(
    ({ section, size }) => section === goal.section && (goal.files ?? size.sensors) === size.sensors,
  )
  const table = result?.tables.find(({ title }) => goal.table?.test(title) ?? true)
  return table === undefined ? undefined : goal.measure(figuresOf(table))
}

const text = (value: number, { unit }: Goal): string =>
  unit === 'MiB' ? `${value.toFixed(0)} MiB` : unit === 's' ? `${value.toFixed(2)} s` : times(value)

/** Bold where the aim is reached. */
function shown(value: number, goal: Goal): string {
  const { atLeast = -Infinity, atMost = Infinity } = goal
  return value >= atLeast && value <= atMost ? `**${text(value, goal)}**` : text(value, goal)
}

const aim = (goal: Goal): string =>
  goal.atLeast === undefined ? `≤ ${text(goal.atMost ?? 0, goal)}` : `≥ ${text(goal.atLeast, goal)}`
