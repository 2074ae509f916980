/** A bucket, and a queue that hears of its objects, on the servers of the tests. */
import { readFile } from 'node:fs/promises'
import type { LadingEvent } from '../../src/core/events.ts'
import { LadingError } from '../../src/core/errors.ts'
import { openQueue } from '../../src/index.ts'
import { consumeObjects, type ObjectsOptions } from '../../src/objects/consume.ts'
import type { RunOptions, Tally } from '../../src/consumer/consumer.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import { objectsBelow } from '../../src/source/registry.ts'
import { useS3 } from '../../tooling/servers/s3.ts'
import type { SqsStub } from '../../tooling/servers/sqs-stub.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { Fixture, numbers, type Target } from '../support/fixture.ts'
import { etagOf, fromS3, type Told } from './messages.ts'

/** Call at the top of a test file. */
export function useArrivals() {
  const s3 = useS3()
  const { server, freshSqsUrl } = useSqs()
  const open = async (
    target: 'sqlite' | 'postgres' | Target = 'sqlite',
    leaseSeconds = 10,
  ): Promise<Arrivals> => {
    // What the last call of a consumer took and nobody got comes again so soon.
    const url = await freshSqsUrl({ VisibilityTimeout: String(leaseSeconds) })
    return new Arrivals(
      { s3, sqs: server },
      await s3().bucket(),
      url,
      await openQueue(url),
      await Fixture.open(target),
    )
  }
  return { s3, sqs: server, open }
}

interface Servers {
  readonly s3: ReturnType<typeof useS3>
  readonly sqs: () => SqsStub
}

export class Arrivals implements AsyncDisposable {
  readonly #s3: Servers['s3']
  readonly #sqs: Servers['sqs']
  readonly bucket: string
  readonly queueUrl: string
  readonly queue: Queue
  readonly fixture: Fixture
  readonly events: LadingEvent[] = []
  #sequencer = 0

  constructor({ s3, sqs }: Servers, bucket: string, queueUrl: string, queue: Queue, fixture: Fixture) {
    this.#s3 = s3
    this.#sqs = sqs
    this.bucket = bucket
    this.queueUrl = queueUrl
    this.queue = queue
    this.fixture = fixture
  }

  /** As `--s3-events` takes it. */
  get place(): string {
    return this.pathOf('in/')
  }

  pathOf(key: string): string {
    return `s3://${this.bucket}/${key}?endpoint=${encodeURIComponent(this.#s3().endpoint)}`
  }

  /** Puts an object; what S3 would say of it. */
  async put(key: string, body: string | Uint8Array): Promise<Told> {
    await this.#s3().put(this.bucket, key, body)
    const sequencer = String(++this.#sequencer).padStart(18, '0')
    return { bucket: this.bucket, key, etag: etagOf(body), size: Buffer.byteLength(body), sequencer }
  }

  /** Puts an object with the next `count` numbers. */
  async numbered(count: number, key = `in/numbers-${this.#sequencer}.csv`): Promise<Told> {
    return await this.put(key, await readFile(await this.fixture.file(count)))
  }

  async remove({ key }: Told): Promise<void> {
    await this.#s3().remove(this.bucket, key)
  }

  /** As S3 sends it, a message for each. */
  async tell(...objects: readonly Told[]): Promise<void> {
    await this.send(...objects.map(fromS3))
  }

  async send(...messages: readonly unknown[]): Promise<void> {
    await Promise.all(messages.map((message) => this.sendText(JSON.stringify(message))))
  }

  async sendText(body: string): Promise<void> {
    await this.#sqs().call('SendMessage', { QueueUrl: this.queueUrl, MessageBody: body })
  }

  async consume(
    options: Partial<ObjectsOptions> = {},
    run: RunOptions = { untilEmpty: true },
  ): Promise<Tally> {
    await using queue = await openQueue('memory:')
    const sink = options.sink ?? (await this.fixture.sink())
    const fileOf = objectsBelow([this.place])
    return await consumeObjects(
      {
        notifications: this.queue,
        queue,
        sink,
        fileOf,
        ...(options.table === undefined && { model: numbers }),
        messageRetry: { firstMs: 1 },
        onDecided: () => undefined,
        onEvent: (event) => void this.events.push(event),
        ...options,
      },
      run,
    )
  }

  async letters(): Promise<readonly StoredDeadLetter[]> {
    const sink = await this.fixture.sink()
    return await sink.ledger.deadLetters({ limit: 1_000 })
  }

  async isEmpty(): Promise<boolean> {
    const { ready, inFlight } = await this.queue.depth()
    return ready === 0 && inFlight === 0
  }

  get asked() {
    return this.#s3().calls.filter((call) => call.bucket === this.bucket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.queue[Symbol.asyncDispose]()
    await this.fixture[Symbol.asyncDispose]()
  }
}

/** What a promise rejects with. */
export const failureOf = async (work: Promise<unknown>): Promise<LadingError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof LadingError) return thrown
  throw new Error(`no error of ours: ${String(thrown)}`)
}
