/** In what state a run is said to be: each one, and what is never claimed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { Observer } from '../../src/observe/observer.ts'
import type { Snapshot, StateKind } from '../../src/observe/snapshot.ts'
import { isWell } from '../../src/observe/state.ts'

const begin = 1_700_000_000_000

function run(command: string) {
  const clock = { now: begin }
  const about = { version: '1', pid: 1, command, queue: 'embedded:q', startedAt: begin }
  const observer = new Observer(about, {
    consumes: command !== 'produce',
    stallAfterMs: 20_000,
    clock: () => clock.now,
  })
  const tell = (...events: readonly LadingEvent[]) => {
    for (const event of events) {
      clock.now += 100
      observer.listener(event)
    }
    return observer.snapshot().state
  }
  return { observer, clock, tell }
}

const a = { loadId: 'a', source: 'a.csv', records: 100 }
const found: LadingEvent = { type: 'found', files: 1, bytes: 1000 }
const planning: LadingEvent = { type: 'planning', source: 'a.csv', bytes: 524_288, size: 1_048_576 }
const planned: LadingEvent = { type: 'planned', ...a, chunks: 4, bytes: 1000 }
const window: LadingEvent = {
  type: 'window',
  messages: 4,
  bytes: 1000,
  publishMs: 1,
  loads: [{ loadId: 'a', records: 100, bytes: 1000 }],
}
const published: LadingEvent = { type: 'published', ...a, chunks: 4 }
const none = { loaded: 0, rejected: 0, skipped: 0, dead: 0 }
const batch = (counts: Partial<typeof none>, of = a): LadingEvent => {
  const all = { ...none, ...counts }
  return {
    type: 'batch',
    consumer: '1/1',
    messages: 1,
    redelivered: 0,
    duplicates: 0,
    retried: 0,
    deadMessages: all.dead > 0 ? 1 : 0,
    records: all.loaded + all.rejected + all.skipped + all.dead,
    ...all,
    bytes: 10,
    writeMs: 1,
    settleMs: 1,
    loads: [{ ...of, ...all }],
  }
}
const receipt = (counts: Partial<typeof none>): LadingEvent => ({ type: 'receipt', ...a, ...none, ...counts })
const waiting: LadingEvent = {
  type: 'waiting',
  code: 'SINK_UNAVAILABLE',
  message: 'no answer',
  attempt: 3,
  delayMs: 400,
}
const building: LadingEvent = { type: 'indexes', table: 't', state: 'building' }

describe('a load', () => {
  it('is planning until its files are planned, publishing, loading, building indexes, and complete with its receipt', () => {
    const { tell } = run('load')
    expect(tell()).toMatchObject({ kind: 'planning' })
    expect(tell(found, planning)).toMatchObject({
      kind: 'planning',
      detail: 'reading and checking a.csv: 0.5 MiB of 1.0 MiB',
    })
    expect(tell(planned)).toMatchObject({ kind: 'publishing', open: 100 })
    expect(tell(window, published)).toMatchObject({ kind: 'publishing', open: 100 })
    expect(tell(batch({ loaded: 60 }))).toMatchObject({ kind: 'loading', open: 40 })
    expect(tell(building)).toMatchObject({ kind: 'indexing', headline: 'Building indexes' })
    expect(tell({ type: 'indexes', table: 't', state: 'built' })).toMatchObject({ kind: 'loading' })
    expect(tell(batch({ loaded: 40 }))).toMatchObject({ kind: 'loading', open: 0, bad: '' })
    expect(tell(receipt({ loaded: 100 }))).toMatchObject({ kind: 'complete', headline: 'Complete' })
  })

  it('is loading, and not idle, while records are left and nothing comes', () => {
    const { tell, clock } = run('load')
    tell(found, planned, window, published, batch({ loaded: 1 }))
    clock.now += 3_600_000
    expect(tell()).toMatchObject({ kind: 'loading', open: 99, detail: 'nothing for 60 min' })
  })

  it('shows what was rejected and what is dead beside its headline, and is not simply complete with them', () => {
    const { tell } = run('load')
    tell(found, planned, window, published, batch({ loaded: 50, rejected: 3 }))
    expect(tell()).toMatchObject({ kind: 'loading', bad: '3 records rejected' })
    tell(batch({ dead: 47 }))
    expect(tell(receipt({ loaded: 50, rejected: 3, dead: 47 }))).toMatchObject({
      kind: 'rejects',
      headline: 'Complete, but not all was loaded',
      bad: '3 records rejected, 47 records dead',
    })
  })

  it('says what it waits for, since when and how often it has tried, and when nothing moves', () => {
    const { observer, tell, clock } = run('load')
    tell(found, planned, waiting)
    clock.now += 5_000
    expect(tell()).toMatchObject({
      kind: 'waiting',
      detail: 'SINK_UNAVAILABLE: no answer (for 5.0 s, attempt 3)',
    })
    clock.now += 20_000
    expect(tell()).toMatchObject({ kind: 'stalled', detail: expect.stringContaining('SINK_UNAVAILABLE') })
    expect(isWell(observer.snapshot().state, observer.snapshot())).toBe(false)
  })

  it.each([
    ['signal', 'SIGINT', 'Stopped', 'by SIGINT; 40 records left', true],
    [
      'error',
      'SINK_REFUSED',
      'Stopped by an error',
      expect.stringMatching(/^SINK_REFUSED: .+; 40 records left$/),
      false,
    ],
    ['itself', undefined, 'Ended early', '40 records left', true],
  ] as const)('that was ended by %s says so, with what is left', (by, why, headline, detail, well) => {
    const { observer, tell } = run('load')
    tell(found, planned, window, batch({ loaded: 60 }), waiting)
    observer.end(by, why)
    const snapshot = observer.snapshot()
    expect(snapshot.state).toMatchObject({ kind: 'stopped', headline, detail, open: 40 })
    expect(isWell(snapshot.state, snapshot)).toBe(well)
  })

  it('that ended with everything loaded stays complete', () => {
    const { observer, tell } = run('load')
    tell(found, planned, window, published, batch({ loaded: 100 }), receipt({ loaded: 100 }))
    observer.end('itself')
    expect(tell()).toMatchObject({ kind: 'complete' })
  })
})

it('a producer is publishing until the queue has everything, and then complete', () => {
  const { tell } = run('produce')
  expect(tell(found, planned)).toMatchObject({ kind: 'publishing', open: 100 })
  expect(tell(window)).toMatchObject({ kind: 'publishing', open: 0 })
  expect(tell(published)).toMatchObject({ kind: 'complete' })
})

describe('a consumer', () => {
  it('is idle while nothing is known to be open, and loading while messages wait', () => {
    const { observer, tell } = run('consume')
    expect(tell()).toMatchObject({ kind: 'idle', detail: 'no message yet; waiting for messages' })
    observer.sawDepth({ ready: 3, dead: 0 })
    expect(tell()).toMatchObject({ kind: 'loading', detail: 'nothing has a verdict yet' })
    observer.sawDepth({ ready: 0, inFlight: 3, dead: 0 })
    expect(tell()).toMatchObject({ kind: 'waiting', detail: expect.stringContaining('3 messages in flight') })
  })

  it('that has part of a load waits for the rest, and is complete only when the ledger says so', () => {
    const { observer, tell, clock } = run('consume')
    expect(tell(batch({ loaded: 60 }))).toMatchObject({ kind: 'loading', open: 40 })
    clock.now += 15_000
    expect(tell()).toMatchObject({
      kind: 'waiting',
      detail: expect.stringMatching(/^for 40 records of 1 load, which/),
    })
    // Another consumer has written the rest.
    expect(observer.uncertain).toEqual(['a'])
    observer.sawLoads([{ loadId: 'a', loaded: 90, rejected: 0, skipped: 0, dead: 0 }])
    expect(tell()).toMatchObject({ kind: 'waiting', open: 10 })
    observer.sawLoads([{ loadId: 'a', loaded: 99, rejected: 1, skipped: 0, dead: 0 }])
    expect(tell()).toMatchObject({ kind: 'rejects', bad: '1 record rejected' })
    // It was corrected and replayed since.
    expect(observer.uncertain).toEqual(['a'])
    observer.sawLoads([{ loadId: 'a', loaded: 100, rejected: 0, skipped: 0, dead: 0 }])
    expect(tell()).toMatchObject({ kind: 'complete', bad: '' })
    expect(observer.uncertain).toEqual([])
  })

  it('shows what was rejected of messages that belong to no load', () => {
    const { tell } = run('consume')
    expect(tell({ ...batch({ rejected: 2, dead: 0 }), loads: [] } as LadingEvent)).toMatchObject({
      bad: '2 records rejected',
    })
  })
})

it('a page without a run claims no state of one', () => {
  expect(run('ui').tell()).toMatchObject({ kind: 'none', headline: 'No run' })
})

/** Whatever happens to three files, in whatever order: verdicts stay within what a load has. */
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('plan', 'publish', 'skip', 'receipt', 'saw', 'resume'), load: fc.nat(2) }),
  fc.record({
    do: fc.constant('batch'),
    load: fc.nat(2),
    n: fc.integer({ min: 1, max: 60 }),
    bad: fc.nat(3),
  }),
  fc.record({ do: fc.constantFrom('wait', 'resumed', 'build', 'built', 'held', 'idle', 'end') }),
)
const done: readonly StateKind[] = ['complete', 'rejects']

function expectTrue(snapshot: Snapshot, receipts: ReadonlySet<string>): void {
  const { state, work, loads } = snapshot
  if (state.open > 0) expect([...done, 'idle']).not.toContain(state.kind)
  if (done.includes(state.kind))
    for (const { loadId } of loads) expect([...receipts], state.kind).toContain(loadId)
  if (work.rejected + work.dead > 0) {
    expect(state.bad).not.toBe('')
    expect(state.kind).not.toBe('complete')
  }
}

it.each(['load', 'consume'])(
  'whatever happens to a %s, it is never idle or complete while something is open, and never goes back',
  (command) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { observer, clock } = run(command)
        const tally = [0, 1, 2].map(() => ({ ...none }))
        const receipts = new Set<string>()
        const shares = new Map<string, number>()
        const ids = ['x', 'y', 'z']
        const of = (n: number) => ({ loadId: ids[n] ?? '', source: `${ids[n]}.csv`, records: 100 })
        const verdictsOf = (n: number) => tally[n] ?? { ...none }
        const isWhole = (n: number) =>
          Object.values(verdictsOf(n)).reduce((sum, each) => sum + each, 0) >= 100
        const isPlanned = new Set<number>()
        if (command === 'load') observer.listener({ type: 'found', files: 3, bytes: 3000 })
        for (const each of steps) {
          clock.now += 1_000
          const load = 'load' in each ? each.load : 0
          if (each.do === 'plan' && !isPlanned.has(load)) {
            isPlanned.add(load)
            observer.listener({ type: 'planned', ...of(load), chunks: 1, bytes: 500 + 500 * load })
          } else if (each.do === 'publish') observer.listener({ type: 'published', ...of(load), chunks: 1 })
          else if (each.do === 'batch' && 'n' in each) {
            const counts = verdictsOf(load)
            const left = 100 - Object.values(counts).reduce((sum, one) => sum + one, 0)
            const n = Math.min(left, each.n)
            const rejected = Math.min(n, each.bad)
            const more = { ...none, loaded: n - rejected, rejected }
            counts.loaded += more.loaded
            counts.rejected += more.rejected
            if (n > 0) observer.listener(batch(more, of(load)))
          } else if (each.do === 'receipt' && isPlanned.has(load) && isWhole(load)) {
            receipts.add(of(load).loadId)
            observer.listener({ type: 'receipt', ...of(load), ...verdictsOf(load) })
          } else if (each.do === 'saw') {
            if (isWhole(load)) receipts.add(of(load).loadId)
            observer.sawLoads([{ loadId: of(load).loadId, ...verdictsOf(load) }])
          } else if (each.do === 'resume') {
            const so = Object.values(verdictsOf(load)).reduce((sum, one) => sum + one, 0)
            observer.listener({ type: 'resuming', ...of(load), done: so })
          } else if (each.do === 'wait') observer.listener(waiting)
          else if (each.do === 'resumed') observer.listener({ type: 'resumed', code: 'SINK_UNAVAILABLE' })
          else if (each.do === 'build') observer.listener(building)
          else if (each.do === 'built') observer.listener({ type: 'indexes', table: 't', state: 'built' })
          else if (each.do === 'held') observer.listener({ type: 'held', consumer: '1/1', messages: load })
          else if (each.do === 'idle') clock.now += 60_000
          const snapshot = observer.snapshot()
          expectTrue(snapshot, receipts)
          const now = [
            ...snapshot.loads.map((one) => [one.loadId, one.share] as const),
            ...(command === 'load' ? [['all', snapshot.share] as const] : []),
          ]
          for (const [name, share] of now) {
            expect(share ?? 0, name).toBeGreaterThanOrEqual(shares.get(name) ?? 0)
            expect(share ?? 0).toBeLessThanOrEqual(1)
            shares.set(name, share ?? 0)
          }
        }
        observer.end('itself')
        expectTrue(observer.snapshot(), receipts)
      }),
      { numRuns: 300 },
    )
  },
)
