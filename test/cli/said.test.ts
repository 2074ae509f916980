/** What is said and printed, line by line, in this process. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watch } from '../../src/cli/commands/watch.ts'
import { printError } from '../../src/cli/terminal/log.ts'
import { looking } from '../../src/cli/terminal/looking.ts'
import { printJson, printReceipts } from '../../src/cli/terminal/output.ts'
import { progressLines, reporting, type Shown } from '../../src/cli/terminal/progress.ts'
import { reporter } from '../../src/cli/terminal/report.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { Progress } from '../../src/observe/progress.ts'
import { Account } from '../../src/sink/account.ts'
import type { Receipt } from '../../src/sink/ledger.ts'

let out = ''
let err = ''

beforeEach(() => {
  out = err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out += String(text)) !== '')
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (err += String(text)) !== '')
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Standard error is a terminal. */
function onTerminal(): Disposable {
  const { isTTY } = process.stderr
  const { TERM } = process.env
  process.stderr.isTTY = true
  process.env['TERM'] = 'xterm'
  return {
    [Symbol.dispose]: () => {
      process.stderr.isTTY = isTTY
      if (TERM === undefined) delete process.env['TERM']
      else process.env['TERM'] = TERM
    },
  }
}

it('a fault of ours is told with where it was, without a password, and on lines that steer no terminal', () => {
  const error = new TypeError('no \u001b[2J postgresql://me:secret@host/db')
  expect(printError(error)).toBe(70)
  const [first, ...stack] = err.split('\n')
  expect(first).toMatch(/^\S*error\S* INTERNAL: no \\u001b\[2J postgresql:\/\/host\/db \(/)
  expect(stack.some((line) => /^ +at .*said\.test\.ts/.test(line))).toBe(true)
  for (const hidden of ['secret', '\u001b[2J']) expect(err).not.toContain(hidden)
})

it('bytes in a result are text where they are text', () => {
  printJson({ text: Buffer.from('ä'), bytes: Buffer.from([255]), array: Uint8Array.of(97) })
  expect(JSON.parse(out)).toEqual({ text: 'ä', bytes: 'base64:/w==', array: 'a' })
})

it('of many loads that need attention only some are shown, and how many there are', () => {
  const receipt = (n: number): Receipt => ({
    loadId: `${String(n).padStart(8, '0')}-0000-0000-0000-000000000000`,
    pipeline: 'p',
    source: `${n}.csv`,
    sha256: '',
    bytes: 1,
    plan: '',
    records: 2,
    loaded: 1,
    rejected: 1,
    skipped: 0,
    dead: 0,
    filtered: 0,
    chunks: 1,
    chunksDone: 1,
    rejectRows: 1,
    deadLetters: 0,
    openRejects: 1,
    openDeadLetters: 0,
    deadLetterRecords: 0,
    startedAt: '2026-01-01T00:00:00Z',
  })
  printReceipts(Account.of(Array.from({ length: 500 }, (_, n) => receipt(n))))
  expect(out).toMatch(/^\d+ of 500 loads that need attention are shown; --json shows every load$/m)
  expect(out).toMatch(/^ +all +1,?000 +500 +500 /m)
})

it('indexes are told once for each state, and events that bring no object are named', () => {
  const listener = reporter()
  const building = { type: 'indexes', table: 't', state: 'building' } as const
  for (const event of [building, building, { ...building, state: 'built' } as const]) listener(event)
  listener({ type: 'ignored', event: 's3:ObjectRemoved:Delete' } as LadingEvent)
  expect(err.replaceAll(/^\S+Z /gm, '')).toBe(
    'indexes of t: being built\nindexes of t: built\nnotifications of s3:ObjectRemoved:Delete are settled: they bring no object to load\n',
  )
})

describe('at a terminal', () => {
  it('the doctor says what it looks at and for how long, and takes it away', () => {
    vi.useFakeTimers()
    using _ = onTerminal()
    {
      using shown = looking()
      shown.at('database')
      expect(err).toContain('looking at the database (0:00)')
      vi.advanceTimersByTime(3_000)
      expect(err).toContain('looking at the database (0:03)')
    }
    const end = err.length
    vi.advanceTimersByTime(3_000)
    expect(err).toHaveLength(end)
  })

  it('what a watched folder waits for stands below the bars', () => {
    vi.useFakeTimers()
    using _ = onTerminal()
    using report = reporting('load')
    report.note('3 files to come')
    vi.advanceTimersByTime(2_000)
    expect(err).toMatch(/3 files to come \(0:02\)/)
  })
})

it('without a terminal the doctor says what takes it long', () => {
  vi.useFakeTimers()
  using shown = looking()
  shown.at('queue')
  vi.advanceTimersByTime(1_000)
  expect(err).toBe('')
  vi.advanceTimersByTime(1_000)
  shown.at('files')
  expect(err.replaceAll(/^\S+Z /gm, '')).toBe('looking at the queue\nlooking at the files\n')
})

it.each<[string, Shown, readonly LadingEvent[], string]>([
  ['nothing is known', 'load', [], 'starting (0:00)'],
  ['no message came', 'consume', [], 'no message yet (0:00)'],
  [
    'something is waited for',
    'load',
    [{ type: 'waiting', code: 'SINK_UNAVAILABLE', message: 'no answer', attempt: 1, delayMs: 100 }],
    'waiting for 0:00: SINK_UNAVAILABLE: no answer',
  ],
])('where %s, the bars say so', (_, shown, events, line) => {
  const progress = new Progress('verdict')
  events.forEach((event) => progress.tell(event))
  const view = { shown, note: '', columns: 80, rows: 24, paint: (_style: string, text: string) => text }
  expect(progressLines(progress, { ...view, isOver: false })).toEqual([line])
  expect(progressLines(progress, { ...view, isOver: true })).toEqual([])
})

it('a watched status waits for what is away for a while, and ends when nobody reads any more', async () => {
  const seen = { depth: { ready: 1, inFlight: 0, dead: 0 }, receipts: [] }
  let looks = 0
  const look = async () => {
    looks++
    if (looks === 1) return seen
    if (looks === 2) throw new LadingError('SINK_UNAVAILABLE', 'the database is away')
    process.stdout.emit('error', new Error('EPIPE'))
    return await new Promise<never>(() => undefined)
  }
  await watch(look as Parameters<typeof watch>[0], 0.001, false)
  expect(out).toMatch(/no load yet\n[^]*waiting: SINK_UNAVAILABLE: the database is away[^]*no load yet\n/)
  const gone = () => Promise.reject(new LadingError('SOURCE_MISSING', 'there is none'))
  await expect(watch(gone, 0.001, false)).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
})
