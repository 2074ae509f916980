/** What is seen of a run, from its events alone, by a clock that the test turns. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { makeMetrics } from '../../src/observe/metrics.ts'
import { Observer } from '../../src/observe/observer.ts'

const about = { version: '1', pid: 1, command: 'consume', queue: 'embedded:q', startedAt: 0 }
const stallAfterMs = 20_000
let now = 0

const observe = (consumes = true) => new Observer(about, { consumes, stallAfterMs, clock: () => now })
const held = (messages: number): LadingEvent => ({ type: 'held', consumer: '1/1', messages })
const load = { loadId: 'l', source: 'a.csv', records: 10 }
const batch = (more: Partial<LadingEvent & { type: 'batch' }> = {}): LadingEvent => ({
  type: 'batch',
  consumer: '1/1',
  messages: 2,
  redelivered: 1,
  duplicates: 0,
  retried: 0,
  deadMessages: 0,
  records: 10,
  loaded: 7,
  rejected: 2,
  skipped: 1,
  bytes: 100,
  writeMs: 30,
  settleMs: 4,
  loads: [
    {
      ...load,
      loaded: 7,
      rejected: 2,
      skipped: 1,
      dead: 0,
    },
  ],
  ...more,
})
const waiting = (delayMs?: number, code: Code = 'SINK_UNAVAILABLE'): LadingEvent => ({
  type: 'waiting',
  code,
  message: 'no answer',
  attempt: 1,
  ...(delayMs === undefined ? {} : { delayMs }),
})
const depth = (ready: number) => ({ ready, inFlight: 0, dead: 0 })

beforeEach(() => {
  now = 1_700_000_000_000
})

describe('a run is ready unless there is work and nothing moves', () => {
  it('however long it has nothing to do', () => {
    const observer = observe()
    now += 86_400_000
    expect(observer.readiness()).toMatchObject({ ready: true })
    observer.sawDepth(depth(0))
    now += 86_400_000
    expect(observer.readiness()).toMatchObject({ ready: true })
  })

  it('messages in hand: red after the time, green by the next batch', () => {
    const observer = observe()
    now += 3_600_000
    observer.listener(held(3))
    now += stallAfterMs - 1
    expect(observer.readiness().ready).toBe(true)
    now += 1
    expect(observer.readiness()).toMatchObject({
      ready: false,
      reason: expect.stringContaining('messages in hand: 3'),
    })
    observer.listener(batch())
    observer.listener(held(1))
    expect(observer.readiness()).toMatchObject({ ready: true, progressAt: now })
    now += stallAfterMs
    expect(observer.readiness().ready).toBe(false)
    observer.listener(held(0))
    expect(observer.readiness().ready).toBe(true)
  })

  it('messages that wait in the queue: red only from when they were seen, green when they are gone', () => {
    const observer = observe()
    now += 3_600_000
    observer.sawDepth(depth(5))
    expect(observer.readiness().ready).toBe(true)
    now += stallAfterMs
    expect(observer.readiness()).toMatchObject({
      ready: false,
      reason: expect.stringContaining('messages waiting: 5'),
    })
    observer.sawDepth(depth(0))
    expect(observer.readiness().ready).toBe(true)
  })

  it('what waits is nobody of ours to take: messages of another pipeline, or of whoever consumes what is produced', () => {
    const [foreign, producer] = [observe(), observe(false)]
    foreign.listener({ type: 'foreign', pipeline: 'other' })
    for (const observer of [foreign, producer]) observer.sawDepth(depth(5))
    now += stallAfterMs
    for (const observer of [foreign, producer]) {
      expect(observer.readiness().ready).toBe(true)
      expect(observer.isQuietFor(1)).toBe(false)
    }
  })

  it('something that is waited for: red with its code, green when it is there', () => {
    const observer = observe(false)
    observer.listener(waiting(400))
    now += stallAfterMs
    observer.listener(waiting(800))
    expect(observer.readiness()).toMatchObject({
      ready: false,
      reason: expect.stringContaining('SINK_UNAVAILABLE'),
    })
    observer.listener({ type: 'resumed', code: 'SINK_UNAVAILABLE' })
    expect(observer.readiness().ready).toBe(true)
    // One failure follows another; only the last is told to be over.
    for (const code of ['QUEUE_BUSY', 'QUEUE_UNAVAILABLE', 'SINK_BUSY'] as const)
      observer.listener(waiting(400, code))
    observer.listener({ type: 'resumed', code: 'QUEUE_UNAVAILABLE' })
    expect(observer.waiting.map(({ code }) => code)).toEqual(['SINK_BUSY'])
    // What is written says nothing of a broker that takes nothing more.
    observer.listener(waiting(undefined, 'QUEUE_HOLD'))
    observer.listener(batch())
    expect(observer.waiting.map(({ code }) => code)).toEqual(['QUEUE_HOLD'])
    observer.listener({ type: 'window', messages: 1, bytes: 1, publishMs: 1, loads: [] })
    expect(observer.waiting).toEqual([])
    // What is given up is not waited for.
    observer.listener(waiting(0))
    now += stallAfterMs
    expect(observer.readiness().ready).toBe(true)
  })
})

describe('a snapshot', () => {
  it('lists a load that was left out', () => {
    const observer = observe()
    observer.listener({ type: 'planned', ...load, chunks: 2, bytes: 200 })
    observer.listener({ type: 'skipped', ...load, reason: 'loaded before' })
    expect(observer.snapshot().loads).toMatchObject([{ ...load, state: 'skipped', loaded: 0 }])
  })

  it('adds up what was told, by load, consumer and time', () => {
    const observer = observe()
    observer.listener({ type: 'planned', ...load, chunks: 2, bytes: 200 })
    observer.listener({
      type: 'window',
      messages: 2,
      bytes: 200,
      publishMs: 3,
      loads: [{ loadId: 'l', records: 10, bytes: 200 }],
    })
    expect(observer.snapshot().loads).toMatchObject([{ state: 'publishing', published: 10, bytes: 200 }])
    observer.listener({ type: 'published', ...load, chunks: 2 })
    observer.listener(held(2))
    now += 1_000
    observer.listener(batch())
    const snapshot = observer.snapshot()
    expect(snapshot.totals).toMatchObject({
      published: 10,
      received: 10,
      loaded: 7,
      rejected: 2,
      skipped: 1,
      messages: 2,
      redelivered: 1,
    })
    expect(snapshot.loads).toMatchObject([
      { ...load, state: 'done', loaded: 7, rejected: 2, skipped: 1, perSecond: 10 },
    ])
    expect(snapshot.consumers).toEqual([
      {
        consumer: '1/1',
        held: 2,
        batches: 1,
        records: 10,
        last: { at: now, records: 10, writeMs: 30, settleMs: 4 },
      },
    ])
    const sum = (name: 'loaded' | 'published' | 'longestWriteMs') =>
      snapshot.series.points.reduce((all, point) => all + point[name], 0)
    expect([sum('loaded'), sum('published'), sum('longestWriteMs')]).toEqual([7, 10, 30])
    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({ at: now, waiting: [] })
  })

  it('knows a load that is done all over only from then on', () => {
    const observer = observe()
    const planned: LadingEvent = { type: 'planned', ...load, chunks: 2, bytes: 200 }
    const found: LadingEvent = { type: 'found', files: 1, bytes: 200 }
    for (const event of [found, planned, batch(), found, planned]) observer.listener(event)
    expect(observer.snapshot().loads).toMatchObject([{ state: 'planned', loaded: 0 }])
  })

  it('counts once what the queue held before its file was planned', () => {
    const observer = observe()
    observer.listener(batch({ loads: [{ ...load, loaded: 3, rejected: 0, skipped: 0, dead: 0 }] }))
    observer.listener({ type: 'planned', ...load, chunks: 2, bytes: 200 })
    observer.listener({ type: 'resuming', ...load, done: 5 })
    expect(observer.snapshot().loads).toMatchObject([{ state: 'loading', bytes: 200, before: 2, loaded: 3 }])
  })

  it('takes no more memory after a day than after ten minutes', () => {
    const observer = observe()
    for (let second = 0; second < 86_400; second += 5) {
      now += 5_000
      observer.listener(
        batch({
          consumer: `${second}/1`,
          loads: [{ ...load, loadId: String(second), loaded: 1, rejected: 0, skipped: 0, dead: 0 }],
        }),
      )
    }
    const { series, loads, consumers } = observer.snapshot()
    expect(series.points).toHaveLength(120)
    expect(loads).toHaveLength(200)
    expect(loads.at(-1)?.loadId).toBe('86395')
    expect(consumers.length).toBeLessThanOrEqual(121)
  })
})

describe('metrics', () => {
  it('count what was told, in seconds and bytes', async () => {
    const observer = observe()
    const metrics = makeMetrics(about, observer)
    for (const event of [
      batch(),
      waiting(5),
      { type: 'dead', key: 'a@b.c', code: 'NOT_OURS', detail: 'secret' } as const,
      { type: 'watching', settling: 2, ready: 1, failed: 3 } as const,
      { type: 'skipped', ...load, reason: 'loaded before' } as const,
    ]) {
      observer.listener(event)
      metrics.listener(event)
    }
    observer.sawDepth({ ready: 4, dead: 1 })
    const text = await metrics.text()
    for (const line of [
      'lading_records_loaded_total 7',
      'lading_records_rejected_total 2',
      'lading_batch_write_seconds_sum 0.03',
      'lading_batch_bytes_sum 100',
      'lading_messages_dead_total{code="NOT_OURS"} 1',
      'lading_waits_total{code="SINK_UNAVAILABLE",action="reconnect"} 1',
      'lading_waiting{code="SINK_UNAVAILABLE",action="reconnect"} 1',
      'lading_queue_messages{state="ready"} 4',
      'lading_watched_files{state="settling"} 2',
      'lading_watched_files{state="failed"} 3',
      'lading_loads_skipped_total 1',
      'lading_ready 1',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toMatch(/a@b\.c|secret|a\.csv|"l"/)
  })

  it('leave out what nobody knows', async () => {
    const observer = observe()
    const metrics = makeMetrics(about, observer)
    const values = async () =>
      (await metrics.text()).split('\n').filter((line) => /^lading_(queue_messages|queue_oldest)/.test(line))
    expect(await values()).toEqual([])
    observer.sawDepth({ ready: 4, dead: 1, oldestMs: 1500 })
    expect(await values()).toEqual([
      'lading_queue_messages{state="ready"} 4',
      'lading_queue_messages{state="dead"} 1',
      'lading_queue_oldest_age_seconds 1.5',
    ])
    now += 60_000
    observer.missedDepth()
    expect(await values()).toEqual([])
    expect(await metrics.text()).toContain('\nlading_queue_depth_failures_total 1\n')
  })
})
