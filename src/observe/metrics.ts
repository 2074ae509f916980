/**
 * The same events as numbers for Prometheus: https://prometheus.io/docs/practices/naming, seconds and bytes.
 * Labels have few values, all of them known beforehand (codes, states): no load, no file, no key, no person.
 * docs/reference/metrics.md lists them.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { codes } from '../core/errors.ts'
import type { LadingEvent, Listener } from '../core/events.ts'
import type { Observer } from './observer.ts'
import type { About } from './snapshot.ts'

export interface Metrics {
  readonly listener: Listener
  readonly contentType: string
  text(): Promise<string>
  /** Of all that there are. */
  readonly about: readonly AboutMetric[]
}

export interface AboutMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** From a batch of a few messages on an idle server to one that waits for a lock, in seconds. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const recordCounts = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
const byteCounts = [1_024, 16_384, 131_072, 1_048_576, 4_194_304, 16_777_216, 67_108_864]

export function makeMetrics(about: About, observer: Observer): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers })

  const published = {
    records: counter('lading_records_published_total', 'Records that the queue took.'),
    messages: counter('lading_messages_published_total', 'Messages that the queue took.'),
    bytes: counter(
      'lading_published_bytes_total',
      'Bytes of the source that the queue took, or that references in it stand for.',
    ),
    seconds: histogram(
      'lading_publish_seconds',
      'From handing a window of messages to the queue until it holds them durably.',
      seconds,
    ),
  }
  const records = {
    records: counter('lading_records_received_total', 'Records in messages of batches that were written.'),
    loaded: counter('lading_records_loaded_total', 'Records that took effect in the database.'),
    rejected: counter('lading_records_rejected_total', 'Records that were kept as rejects.'),
    skipped: counter(
      'lading_records_skipped_total',
      'Records that the conflict policy left out, or the model or an option on purpose.',
    ),
  }
  const messages = {
    messages: counter('lading_messages_received_total', 'Messages of batches that were written.'),
    redelivered: counter('lading_messages_redelivered_total', 'Of these, delivered before.'),
    duplicates: counter(
      'lading_messages_duplicate_total',
      'Of these, duplicates: already in effect, so they changed nothing.',
    ),
    retried: counter('lading_messages_retried_total', 'Of these, failed and given back for another attempt.'),
  }
  const batch = {
    bytes: counter('lading_received_bytes_total', 'Bytes of the messages of batches that were written.'),
    write: histogram(
      'lading_batch_write_seconds',
      'From the first attempt to write a batch to its commit, including all waits.',
      seconds,
    ),
    settle: histogram(
      'lading_batch_settle_seconds',
      'From the commit of a batch until its messages are settled.',
      seconds,
    ),
    records: histogram('lading_batch_records', 'Records of a batch.', recordCounts),
    size: histogram('lading_batch_bytes', 'Bytes of the messages of a batch.', byteCounts),
  }
  const dead = new Counter({
    name: 'lading_messages_dead_total',
    help: 'Messages that became dead letters, by code.',
    labelNames: ['code'],
    registers,
  })
  const waits = new Counter({
    name: 'lading_waits_total',
    help: 'Retries and waits, by code and action; action="reconnect" counts reconnects.',
    labelNames: ['code', 'action'],
    registers,
  })
  // A counter that begins at 1 has no increase that an alert could see.
  for (const [code, { action }] of Object.entries(codes)) {
    if (action === 'dead') dead.inc({ code }, 0)
    if (action === 'retry' || action === 'reconnect' || action === 'hold') waits.inc({ code, action }, 0)
  }
  const skippedLoads = counter(
    'lading_loads_skipped_total',
    'Files that were left out because they had been loaded or published before.',
  )
  addGauges(about, observer, registry)

  const tell = {
    window: ({ messages: count, bytes, publishMs, loads }: Event<'window'>) => {
      for (const load of loads) published.records.inc(load.records)
      published.messages.inc(count)
      published.bytes.inc(bytes)
      published.seconds.observe(publishMs / 1000)
    },
    batch: (event: Event<'batch'>) => {
      for (const [name, metric] of Object.entries({ ...records, ...messages }))
        metric.inc(event[name as keyof typeof records])
      batch.bytes.inc(event.bytes)
      batch.write.observe(event.writeMs / 1000)
      batch.settle.observe(event.settleMs / 1000)
      batch.records.observe(event.records)
      batch.size.observe(event.bytes)
    },
  }
  const listener: Listener = (event) => {
    if (event.type === 'batch') tell.batch(event)
    else if (event.type === 'window') tell.window(event)
    else if (event.type === 'dead') dead.inc({ code: event.code })
    else if (event.type === 'skipped') skippedLoads.inc()
    else if (event.type === 'waiting') waits.inc({ code: event.code, action: codes[event.code].action })
  }
  return {
    listener,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    about: registry.getMetricsAsArray().map(described),
  }
}

/** The types of prom-client leave out the labels. */
function described(metric: { readonly name: string; readonly help: string }): AboutMetric {
  const { name, help } = metric
  const type = metric.constructor.name.toLowerCase()
  return {
    name,
    help,
    type,
    labels: (metric as { readonly labelNames?: readonly string[] }).labelNames ?? [],
  }
}

type Event<Type extends LadingEvent['type']> = Extract<LadingEvent, { readonly type: Type }>

/**
 * What is looked up when it is asked for. A gauge whose value is unknown is left out, instead of being 0.
 */
function addGauges(about: About, observer: Observer, registry: Registry): void {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const now = value()
        if (now === undefined) this.remove()
        else this.set(now)
      },
    })
  const info = new Gauge({
    name: 'lading_info',
    help: "Always 1; the labels say what runs here. The pipeline is empty where it is the model's table.",
    labelNames: ['version', 'command', 'pipeline'],
    registers,
  })
  info.set({ version: about.version, command: about.command, pipeline: about.pipeline ?? '' }, 1)
  const depth = new Gauge({
    name: 'lading_queue_messages',
    help: 'Messages in the queue, by state: ready, in_flight (missing if the queue does not report what other consumers hold), dead.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      if (observer.depth === undefined) return
      const { ready, inFlight, dead } = observer.depth
      this.set({ state: 'ready' }, ready)
      if (inFlight !== undefined) this.set({ state: 'in_flight' }, inFlight)
      this.set({ state: 'dead' }, dead)
    },
  })
  depth.reset()
  const age =
    'Age of the oldest message that waits or is in flight. Absent where the queue does not report it.'
  gauge('lading_queue_oldest_age_seconds', age, () => secondsOf(observer.depth?.oldestMs))
  new Counter({
    name: 'lading_queue_depth_failures_total',
    help: 'Times that the queue did not report its depth, or took longer than five seconds.',
    registers,
    collect() {
      this.reset()
      this.inc(observer.depthFailures)
    },
  })
  gauge(
    'lading_messages_in_hand',
    'Messages that consumers of this run have taken and not settled, as of the last begin or end of a batch.',
    () => observer.inHand,
  )
  new Gauge({
    name: 'lading_watched_files',
    help: 'Files in watched folders, by state: settling (still changing), ready (being loaded, or next), failed (left where they are).',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      const { settling, ready, failed } = observer.watched ?? {}
      if (settling === undefined || ready === undefined || failed === undefined) return
      this.set({ state: 'settling' }, settling)
      this.set({ state: 'ready' }, ready)
      this.set({ state: 'failed' }, failed)
    },
  })
  new Gauge({
    name: 'lading_waiting',
    help: '1 for each code, and its action, of a current wait.',
    labelNames: ['code', 'action'],
    registers,
    collect() {
      this.reset()
      for (const { code, action } of observer.waiting)
        this.set(
          {
            code,
            action,
          },
          1,
        )
    },
  })
  gauge('lading_ready', '1 unless there is work and nothing moves, as /readyz says.', () =>
    observer.readiness().ready ? 1 : 0,
  )
  const progress =
    'When something was last committed, settled or published; until then, the start of the run.'
  gauge('lading_last_progress_timestamp_seconds', progress, () => secondsOf(observer.readiness().progressAt))
  gauge(
    'process_resident_memory_bytes',
    'Memory of this process; its consumer processes are not part of it.',
    () => process.memoryUsage.rss(),
  )
  gauge('process_start_time_seconds', 'When the run began, in seconds since 1970.', () =>
    secondsOf(about.startedAt),
  )
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of this process.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
}

const secondsOf = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000)
