import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { reporting, type Shown } from '../../src/cli/terminal/progress.ts'
import type { LadingEvent } from '../../src/core/events.ts'

const batch: LadingEvent = {
  type: 'batch',
  consumer: '1',
  messages: 1,
  redelivered: 0,
  duplicates: 0,
  retried: 0,
  deadMessages: 0,
  records: 250,
  loaded: 249,
  rejected: 1,
  skipped: 0,
  bytes: 5000,
  writeMs: 1,
  settleMs: 1,
  loads: [{ loadId: 'a', source: 'a.csv', records: 1000, loaded: 249, rejected: 1, skipped: 0, dead: 0 }],
}
const planned: readonly LadingEvent[] = [
  { type: 'found', files: 1, bytes: 20_000 },
  { type: 'planned', loadId: 'a', source: 'a.csv', records: 1000, chunks: 4, bytes: 20_000 },
]

let said: string[] = []

beforeEach(() => {
  said = []
  vi.useFakeTimers()
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** The lines that were said since the last time, without their times. */
const heard = () => said.splice(0).map((line) => line.replace(/^\S+Z /, ''))

function during(shown: Shown, work: (tell: (...events: readonly LadingEvent[]) => void) => void): void {
  using report = reporting(shown)
  work((...events) => events.forEach(report.onEvent))
}

it('without a terminal a load says every 30 seconds how far it is, and no more when it is over', () => {
  during('load', (tell) => {
    tell(...planned, batch)
    vi.advanceTimersByTime(29_000)
    expect(heard()).toEqual([])
    vi.advanceTimersByTime(2000)
    expect(heard()).toEqual(['progress: 250 records of 1,000 (25 %), 1 rejected\n'])
    vi.advanceTimersByTime(90_000)
    expect(heard()).toHaveLength(3)
  })
  vi.advanceTimersByTime(90_000)
  expect(heard()).toEqual([])
})

it('a load says what it does before there is anything to count, and beside it', () => {
  const found: LadingEvent = { type: 'found', files: 2, bytes: 4_194_304 }
  const reading = (source: string, bytes: number): LadingEvent => ({
    type: 'planning',
    source,
    bytes,
    size: 2_097_152,
  })
  during('load', (tell) => {
    const saidOf = (event: LadingEvent): string | undefined => {
      tell(event)
      vi.advanceTimersByTime(30_000)
      return heard().at(-1)
    }
    tell(found)
    const first = 'progress: 0 of 2 files, reading and checking'
    expect(saidOf(reading('a.csv', 0))).toBe(`${first} a.csv\n`)
    expect(saidOf(reading('a.csv', 1_048_576))).toBe(`${first} a.csv: 1.00 MiB of 2.00 MiB\n`)
    // What is read of it is decompressed, and its size on the disk says nothing of that.
    expect(saidOf(reading('b.csv.gz', 1_048_576))).toBe(`${first} b.csv.gz: 1.00 MiB\n`)
    tell({ type: 'planned', loadId: 'b', source: 'b.csv.gz', records: 9, chunks: 1, bytes: 100 })
    expect(saidOf({ type: 'indexes', table: 't', state: 'building' })).toMatch(
      /^progress: 0 records .*, building the indexes of t \(0:30\)\n$/,
    )
  })
})

it('a consumer says it only when something has come since', () => {
  during('consume', (tell) => {
    vi.advanceTimersByTime(90_000)
    expect(heard()).toEqual([])
    tell(batch)
    vi.advanceTimersByTime(90_000)
    expect(heard()).toEqual(['progress: 250 records, 1 rejected\n'])
  })
})
