import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LadingEvent, LoadCounts } from '../../src/core/events.ts'
import { type Goal, Progress } from '../../src/observe/progress.ts'

/** A progress with a clock that is set by hand. */
function made(goal: Goal = 'verdict') {
  const clock = { now: 0 }
  const progress = new Progress(goal, () => clock.now)
  return { clock, progress, tell: (...events: readonly LadingEvent[]) => events.forEach(progress.tell) }
}

const found = (files: number, bytes = files * 1000): LadingEvent => ({ type: 'found', files, bytes })
const planning = (source: string, bytes: number, size: number): LadingEvent => ({
  type: 'planning',
  source,
  bytes,
  size,
})
const planned = (loadId: string, records = 100): LadingEvent => ({
  type: 'planned',
  loadId,
  source: `${loadId}.csv`,
  records,
  chunks: 1,
  bytes: records * 10,
})
const skipped = (loadId: string, records = 100): LadingEvent => ({
  type: 'skipped',
  loadId,
  source: `${loadId}.csv`,
  records,
  reason: '',
})
const counts = (loadId: string, loaded: number, more: Partial<LoadCounts> = {}): LoadCounts => ({
  loadId,
  source: `${loadId}.csv`,
  records: 100,
  loaded,
  rejected: 0,
  skipped: 0,
  dead: 0,
  ...more,
})

function batch(...loads: readonly LoadCounts[]): LadingEvent {
  const sum = (of: (each: LoadCounts) => number) => loads.reduce((total, each) => total + of(each), 0)
  const [loaded, rejected, left] = [
    sum((each) => each.loaded),
    sum((each) => each.rejected),
    sum((each) => each.skipped),
  ]
  const none = {
    consumer: '1',
    messages: 1,
    redelivered: 0,
    duplicates: 0,
    retried: 0,
    deadMessages: 0,
    writeMs: 1,
    settleMs: 1,
  }
  return {
    type: 'batch',
    ...none,
    records: loaded + rejected + left,
    loaded,
    rejected,
    skipped: left,
    bytes: 500,
    loads,
  }
}

const window = (loadId: string, records: number): LadingEvent => ({
  type: 'window',
  messages: 1,
  bytes: 10 * records,
  publishMs: 1,
  loads: [{ loadId, records, bytes: 10 * records }],
})

describe('of loads', () => {
  it('verdicts count, rejects and dead records among them, and bytes by the share of the records', () => {
    const { progress, tell } = made()
    tell(
      found(2),
      planned('a'),
      planned('b'),
      window('a', 100),
      batch(counts('a', 40, { rejected: 9, dead: 1 }), counts('b', 10)),
    )
    expect(progress.snapshot().all).toMatchObject({
      records: 200,
      done: 60,
      rejected: 9,
      dead: 1,
      bytes: 2000,
      bytesDone: 600,
    })
    expect(progress.loads()).toMatchObject([
      { source: 'a.csv', records: 100, done: 50, rejected: 9 },
      { source: 'b.csv', done: 10 },
    ])
    tell(batch(counts('a', 50)))
    expect(progress.snapshot().files).toEqual({ found: 2, planned: 2, done: 1 })
    expect(progress.atWork(9)).toMatchObject([{ loadId: 'b' }])
  })

  it('what was done before counts as done, and not for the rate', () => {
    const { clock, progress, tell } = made()
    tell(
      found(3),
      planned('a'),
      { type: 'resuming', loadId: 'a', source: 'a.csv', records: 100, done: 60 },
      planned('b'),
      skipped('b'),
    )
    clock.now = 5000
    expect(progress.snapshot()).toMatchObject({ all: { done: 160, rate: 0 }, files: { done: 1 } })
    tell(batch(counts('a', 40)))
    expect(progress.snapshot()).toMatchObject({ all: { done: 200 }, files: { done: 2 } })
  })

  it('what the queue held is counted once its file is planned, and once', () => {
    const { progress, tell } = made()
    tell(found(1), batch(counts('a', 30)))
    expect(progress.snapshot().all.done).toBe(0)
    tell(planned('a'), { type: 'resuming', loadId: 'a', source: 'a.csv', records: 100, done: 50 })
    expect(progress.snapshot().all.done).toBe(50)
  })

  it('two paths to the same load count it once, however many were done in between', () => {
    const { progress, tell } = made()
    const done = (id: string) => tell(planned(id), batch(counts(id, 100)))
    tell(found(502))
    done('a')
    for (let n = 0; n < 500; n++) done(`other-${n}`)
    expect(progress.loads().map(({ loadId }) => loadId)).not.toContain('a')
    tell({ ...planned('a'), isTwice: true } as LadingEvent, skipped('a'))
    expect(progress.snapshot()).toMatchObject({
      all: { records: 50_100 },
      files: { planned: 502, done: 502 },
    })
  })

  it('the second of two paths to the same load is done at once, and its load is not', () => {
    const { progress, tell } = made()
    tell(found(2), planned('a'), planned('a'), skipped('a'))
    expect(progress.snapshot()).toMatchObject({
      all: { records: 100, done: 0 },
      files: { planned: 2, done: 1 },
    })
    tell(batch(counts('a', 100)))
    expect(progress.snapshot().files.done).toBe(2)
  })

  it('a file without records is done when it is published', () => {
    const { progress, tell } = made()
    tell(found(1), planned('a', 0), {
      type: 'published',
      loadId: 'a',
      source: 'a.csv',
      records: 0,
      chunks: 1,
    })
    expect(progress.snapshot().files.done).toBe(1)
  })

  it('the receipt has the last word', () => {
    const { progress, tell } = made()
    tell(found(1), planned('a'), batch(counts('a', 60)), {
      type: 'receipt',
      ...counts('a', 97, { rejected: 3 }),
    })
    expect(progress.snapshot()).toMatchObject({
      all: { done: 100, rejected: 3, bytesDone: 1000 },
      files: { done: 1 },
    })
    tell({ type: 'receipt', ...counts('a', 90, { rejected: 3 }) })
    expect(progress.snapshot()).toMatchObject({ all: { done: 93 }, files: { done: 0 } })
  })

  it('everything begins anew where it is loaded once more', () => {
    const { progress, tell } = made()
    tell(found(1), planned('a'), batch(counts('a', 100)), found(1))
    expect(progress.snapshot()).toMatchObject({
      all: { records: 0, done: 0 },
      files: { found: 1, planned: 0, done: 0 },
    })
  })

  it('while files are still to be planned, their records are estimated by the sizes on the disk', () => {
    const { progress, tell } = made()
    tell(found(4, 400), planning('a.csv', 0, 100), planned('a'))
    expect(progress.snapshot().expected).toEqual({ records: 400, isEstimate: true })
    for (const id of ['b', 'c', 'd']) tell(planning(`${id}.csv`, 0, 100), planned(id, 10))
    expect(progress.snapshot().expected).toEqual({ records: 130, isEstimate: false })
  })
})

it('of a producer, what the queue holds counts', () => {
  const { progress, tell } = made('queue')
  tell(found(1), planned('a'), window('a', 70))
  expect(progress.snapshot().all.done).toBe(70)
  tell(window('a', 30))
  expect(progress.snapshot()).toMatchObject({ all: { done: 100, bytesDone: 1000 }, files: { done: 1 } })
})

describe('of a consumer', () => {
  it('everything counts, whether a load is known or not', () => {
    const { progress, tell } = made()
    tell(batch(counts('a', 10)), { ...batch(), records: 5, loaded: 4, rejected: 1 } as LadingEvent)
    expect(progress.snapshot()).toMatchObject({
      all: { done: 15, rejected: 1, bytesDone: 1000 },
      batches: 2,
      files: { found: 0 },
    })
    expect(progress.atWork(9)).toMatchObject([{ source: 'a.csv', done: 10, records: 100 }])
  })

  it('loads without end do not fill the memory, and those that are done are forgotten', () => {
    const { progress, tell } = made()
    for (let n = 0; n < 1000; n++) tell(batch(counts(`open-${n}`, 1)), batch(counts(`done-${n}`, 100)))
    expect(progress.atWork(10_000)).toSatisfy(
      (loads: readonly unknown[]) => loads.length > 90 && loads.length <= 200,
    )
    expect(progress.atWork(2).map(({ loadId }) => loadId)).toEqual(['open-998', 'open-999'])
    expect(progress.snapshot().all.done).toBe(101_000)
  })
})

describe('the rate', () => {
  it('is that of the last ten seconds, and nothing when nothing has come for longer', () => {
    const { clock, progress, tell } = made()
    tell(found(1), planned('a', 100_000))
    for (let second = 0; second <= 30; second++) {
      clock.now = second * 1000
      tell(batch(counts('a', second < 15 ? 1000 : 100)))
    }
    expect(progress.snapshot().all.rate).toBeCloseTo(100, 0)
    clock.now = 50_000
    expect(progress.snapshot().all.rate).toBe(0)
  })

  it('is not known from one batch, which tells nothing of how long it took', () => {
    const { clock, progress, tell } = made()
    clock.now = 60_000
    tell(found(1), planned('a'), batch(counts('a', 50)))
    clock.now = 60_100
    expect(progress.snapshot().all.rate).toBe(0)
  })
})

describe('what goes on', () => {
  it('is waited for until it is there again, or until something moves', () => {
    const { clock, progress, tell } = made()
    const waiting: LadingEvent = { type: 'waiting', code: 'SINK_UNAVAILABLE', message: 'gone', attempt: 1 }
    tell(waiting)
    clock.now = 4000
    tell(waiting)
    expect(progress.snapshot().waiting).toEqual({ code: 'SINK_UNAVAILABLE', message: 'gone', ms: 4000 })
    tell(window('a', 1))
    expect(progress.snapshot().waiting).toBeDefined()
    tell({ type: 'resumed', code: 'SINK_UNAVAILABLE' })
    expect(progress.snapshot().waiting).toBeUndefined()
    tell(waiting, batch())
    expect(progress.snapshot().waiting).toBeUndefined()
  })

  it('is the reading of a file, until it is planned, and the building of indexes, until they are built', () => {
    const { clock, progress, tell } = made()
    tell(found(1), planning('a.csv', 300, 1000))
    expect(progress.snapshot().planning).toMatchObject({ source: 'a.csv', bytes: 300, size: 1000 })
    tell(planned('a'), { type: 'indexes', table: 't', state: 'building' })
    clock.now = 2000
    expect(progress.snapshot()).toMatchObject({ planning: undefined, building: { table: 't', ms: 2000 } })
    tell({ type: 'indexes', table: 't', state: 'built' })
    expect(progress.snapshot().building).toBeUndefined()
  })
})

it('whatever order events come in, no load is more than done, and all are the sum of each', () => {
  const id = fc.constantFrom('a', 'b', 'c')
  const some = fc.integer({ min: 0, max: 150 })
  const event = fc.oneof(
    id.map((each) => planned(each)),
    id.map((each) => skipped(each)),
    fc.tuple(id, some).map(([each, done]): LadingEvent => ({
      type: 'resuming',
      loadId: each,
      source: each,
      records: 100,
      done,
    })),
    fc.tuple(id, some, some).map(([each, loaded, rejected]) => batch(counts(each, loaded, { rejected }))),
    fc
      .tuple(id, some)
      .map(([each, loaded]): LadingEvent => ({ type: 'receipt', ...counts(each, Math.min(100, loaded)) })),
  )
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const { progress, tell } = made()
      tell(found(3), ...events)
      const { all, files } = progress.snapshot()
      const loads = progress.loads()
      for (const load of loads)
        expect(load.done).toSatisfy((done: number) => done >= 0 && done <= load.records)
      expect(all.done).toBe(loads.reduce((sum, { done }) => sum + done, 0))
      expect(all.bytesDone).toBe(loads.reduce((sum, { bytesDone }) => sum + bytesDone, 0))
      expect(files.done).toBeLessThanOrEqual(files.planned)
    }),
  )
})
