/** The memory of a process stays under the formula of docs/guarantees.md, whatever its input. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { runMeasured } from './measured.ts'

const mib = 1 << 20
const model = join(import.meta.dirname, '..', 'support', 'model.ts')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-memory-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface Input {
  readonly name: string
  /** MiB of the longest record. */
  readonly longest: number
  readonly records: number
  readonly record: (index: number) => string
  readonly code: number
}

const inputs: readonly Input[] = [
  { name: 'short records', longest: 0, records: 1_000_000, record: (n) => `${n},note\n`, code: 0 },
  { name: 'records of 1 MiB', longest: 1, records: 60, record: (n) => `${n},${'x'.repeat(mib)}\n`, code: 0 },
  {
    name: 'records of 15 MiB',
    longest: 15,
    records: 6,
    record: (n) => `${n},${'x'.repeat(15 * mib)}\n`,
    code: 0,
  },
  { name: '50,000 rejects', longest: 0, records: 50_000, record: (n) => `no ${n},note\n`, code: 3 },
]

/** The formula, in MiB. */
const most = (longest: number): number => 190 + 8 * longest

async function write({ name, records, record }: Pick<Input, 'name' | 'records' | 'record'>): Promise<string> {
  const path = join(folder, `${name}.csv`)
  await using file = await open(path, 'w')
  await file.write('id,note\n')
  for (let at = 0; at < records;) {
    let text = ''
    while (at < records && text.length < mib) text += record(at++)
    await file.write(text)
  }
  return path
}

function peakOf(args: readonly string[]): { readonly code: number | null; readonly peak: number } {
  const { code, peaks } = runMeasured(args, folder)
  expect(peaks).toHaveLength(1)
  const [peak = Number.NaN] = peaks
  console.log(`${args[0]}: ${Math.round(peak)} MiB`)
  return { code, peak }
}

function holds(to: () => string): void {
  it.each(inputs)('$name: a load takes no more memory than the formula', async (input) => {
    const path = await write(input)
    const { code, peak } = peakOf(['load', path, '--model', model, '--to', to(), '--pipeline', input.name])
    await rm(path)
    expect(code).toBe(input.code)
    expect(peak).toBeLessThan(most(input.longest))
  })
}

describe('SQLite', { timeout: 120_000 }, () => {
  holds(() => `sqlite:${join(folder, 'target.db')}`)
})

describePostgres('PostgreSQL', () => {
  describe('a load', { timeout: 120_000 }, () => {
    let database: Awaited<ReturnType<typeof freshDatabase>>
    beforeAll(async () => {
      database = await freshDatabase()
    })
    afterAll(() => database.drop())
    holds(() => database.url)
  })
})

it(
  'a file of 10 GB without the end of a line is refused in no more memory',
  { timeout: 60_000 },
  async () => {
    const path = join(folder, 'sparse.csv')
    await using file = await open(path, 'w')
    await file.truncate(10 * 1024 * mib)
    const { code, peak } = peakOf(['inspect', path])
    expect(code).toBe(65)
    expect(peak).toBeLessThan(most(0))
  },
)

it('inspect takes no more than 7 KiB for each of many columns', { timeout: 60_000 }, async () => {
  const columns = 20_000
  const path = join(folder, 'wide.csv')
  await using file = await open(path, 'w')
  await file.write(`${Array.from({ length: columns }, (_, n) => `c${n}`).join()}\n`)
  const row = Array.from({ length: columns }, (_, n) => n).join()
  for (let n = 0; n < 20; n++) await file.write(`${row}\n`)
  const { code, peak } = peakOf(['inspect', path])
  expect(code).toBe(0)
  expect(peak).toBeLessThan(most(0) + (7 * columns) / 1024)
})
