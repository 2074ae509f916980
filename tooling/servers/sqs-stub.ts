/**
 * A server that speaks the protocol of SQS, in this process: fauxqs behind a front that does what SQS may do
 * to its clients. Without knobs the front only makes fauxqs keep its word: a long poll whose client has gone
 * takes no message.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildApp } from 'fauxqs'

/** Shares are of 1. */
export interface SqsKnobs {
  readonly seed?: number
  /**
   * Of the messages delivered, are delivered once more, with a receipt handle of their own, even after they
   * were deleted.
   */
  readonly duplicates?: number
  /** Messages come in another order than they were sent in. */
  readonly reorder?: boolean
  /** Of the receipt handles used, mean nothing any more: the message comes again when its time is over. */
  readonly expireHandles?: number
  /** Of the entries of a batch, are told to have failed; half of them were done all the same. */
  readonly failEntries?: number
  /** Of the calls, are refused as too many. */
  readonly throttle?: number
  /** Of the calls, are answered with 503; half of them were done all the same. */
  readonly fail503?: number
  /** Of the calls, lose their connection; half of them were done all the same. */
  readonly cut?: number
  /** Of the calls, are answered late, by up to `slowMs`. */
  readonly slow?: number
  readonly slowMs?: number
}

/** How often each thing was done. */
export type SqsFaults = Readonly<
  Record<
    'duplicates' | 'delayed' | 'expireHandles' | 'failEntries' | 'throttle' | 'fail503' | 'cut' | 'slow',
    number
  >
>

export interface SqsStub {
  /** The URL of a queue, which need not exist. */
  url(queueName: string): string
  arn(queueName: string): string
  /** Resolves with its URL. */
  createQueue(queueName: string, attributes?: Readonly<Record<string, string>>): Promise<string>
  /** Any call, without faults. */
  call(action: string, input: object): Promise<Json>
  /** Calls that clients have made, by action. */
  readonly calls: Readonly<Record<string, number>>
  /** Calls that are being answered, such as long polls. */
  readonly pending: number
  readonly faults: SqsFaults
  /** From now on, until it is called again. */
  turn(knobs: SqsKnobs): void
  stop(): Promise<void>
}

/** Whatever the wire has. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>

interface Answer {
  readonly status: number
  readonly body: string
}

const region = 'us-east-1'
const account = '000000000000'
/** fauxqs moves what has run out when somebody asks for messages. */
const lookEveryMs = 25

export async function startSqsStub(knobs: SqsKnobs = {}): Promise<SqsStub> {
  const stub = new Stub(knobs)
  await stub.start()
  return stub
}

/** A message that is delivered although it is settled, or held by somebody. */
interface Ghost {
  readonly queue: string
  readonly message: Json
  handle: string
  receives: number
  visibleAt: number
}

class Stub implements SqsStub {
  readonly #app = buildApp({ logger: false })
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  readonly #ghosts: Ghost[] = []
  readonly calls: Record<string, number> = {}
  readonly faults = {
    duplicates: 0,
    delayed: 0,
    expireHandles: 0,
    failEntries: 0,
    throttle: 0,
    fail503: 0,
    cut: 0,
    slow: 0,
  }
  readonly #stopped = new AbortController()
  #knobs: SqsKnobs
  #random: () => number
  #port = 0
  #handles = 0
  pending = 0
  /** Those who wait for messages look again when something has happened. */
  #waiting: (() => void)[] = []

  constructor(knobs: SqsKnobs) {
    this.#knobs = knobs
    this.#random = randomFrom(knobs.seed ?? 1)
  }

  async start(): Promise<void> {
    await this.#app.ready()
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as { port: number }).port
  }

  url(queueName: string): string {
    return `http://127.0.0.1:${this.#port}/${account}/${queueName}`
  }

  arn(queueName: string): string {
    return `arn:aws:sqs:${region}:${account}:${queueName}`
  }

  async createQueue(queueName: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    const isFifo = queueName.endsWith('.fifo')
    await this.call('CreateQueue', {
      QueueName: queueName,
      Attributes: { ...attributes, ...(isFifo ? { FifoQueue: 'true' } : {}) },
    })
    return this.url(queueName)
  }

  async call(action: string, input: object): Promise<Json> {
    const { status, body } = await this.#forward(action, input)
    const value = (body === '' ? {} : JSON.parse(body)) as Json
    if (status !== 200) throw new Error(`${action}: ${JSON.stringify(value)}`)
    return value
  }

  turn(knobs: SqsKnobs): void {
    this.#knobs = knobs
    if (knobs.seed !== undefined) this.#random = randomFrom(knobs.seed)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#wake()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.#app.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.pending++
    response.on('close', () => this.pending--)
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    const input = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Json
    this.calls[action] = (this.calls[action] ?? 0) + 1
    const answer = await this.#answer(action, input, () => response.destroyed)
    if (this.#happens('slow'))
      await sleep(this.#random() * (this.#knobs.slowMs ?? 1_000), undefined, {
        signal: this.#stopped.signal,
      }).catch(() => {})
    if (answer === 'cut') return void response.destroy()
    if (response.destroyed) return
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(answer.body)
  }

  async #answer(action: string, input: Json, isGone: () => boolean): Promise<Answer | 'cut'> {
    if (this.#happens('throttle')) return failure(400, 'RequestThrottled', 'Rate exceeded')
    for (const [fault, answer] of [
      ['fail503', failure(503, 'ServiceUnavailable', 'Service is unavailable')],
      ['cut', 'cut'],
    ] as const) {
      if (!this.#happens(fault)) continue
      // What would be received is not: it would be gone for the time out of sight.
      if (action !== 'ReceiveMessage' && this.#random() < 0.5) await this.#perform(action, input, isGone)
      return answer
    }
    return this.#perform(action, input, isGone)
  }

  async #perform(action: string, input: Json, isGone: () => boolean): Promise<Answer> {
    switch (action) {
      case 'ReceiveMessage':
        return await this.#receive(input, isGone)
      case 'SendMessageBatch':
        return await this.#batch(action, { ...input, Entries: this.#delayed(input) })
      case 'DeleteMessageBatch':
      case 'ChangeMessageVisibilityBatch':
        return await this.#batch(action, input)
      default:
        return await this.#forward(action, input)
    }
  }

  async #receive(input: Json, isGone: () => boolean): Promise<Answer> {
    const until = performance.now() + Number(input['WaitTimeSeconds'] ?? 0) * 1000
    for (;;) {
      if (isGone() || this.#stopped.signal.aborted) return { status: 200, body: '{}' }
      const { status, body } = await this.#forward('ReceiveMessage', { ...input, WaitTimeSeconds: 0 })
      if (status !== 200) return { status, body }
      const messages = this.#haunted(input, ((JSON.parse(body) as Json)['Messages'] ?? []) as Json[])
      if (messages.length > 0 || performance.now() >= until)
        return { status, body: JSON.stringify({ Messages: messages }) }
      await this.#something(Math.min(lookEveryMs, until - performance.now()))
    }
  }

  /** Until something has happened to a queue. */
  async #something(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Adds ghosts that are due, lets some of the messages become one, and shuffles all. */
  #haunted(input: Json, received: readonly Json[]): readonly Json[] {
    const queue = String(input['QueueUrl'])
    if (queue.endsWith('.fifo')) return received
    const now = performance.now()
    const messages = [...received]
    for (const ghost of this.#ghosts) {
      if (messages.length >= Number(input['MaxNumberOfMessages'] ?? 1)) break
      if (ghost.queue !== queue || ghost.visibleAt > now) continue
      ghost.handle = `ghost-${++this.#handles}`
      ghost.receives++
      ghost.visibleAt = now + Number(input['VisibilityTimeout'] ?? 30) * 1000
      const attributes = {
        ...(ghost.message['Attributes'] as Json),
        ApproximateReceiveCount: String(ghost.receives),
      }
      messages.push({ ...ghost.message, ReceiptHandle: ghost.handle, Attributes: attributes })
    }
    for (const message of received) {
      if (!this.#happens('duplicates')) continue
      const receives = Number((message['Attributes'] as Json | undefined)?.['ApproximateReceiveCount'] ?? 1)
      this.#ghosts.push({ queue, message, handle: '', receives, visibleAt: now + this.#random() * 1_000 })
    }
    if (this.#knobs.reorder === true) messages.sort(() => this.#random() - 0.5)
    return messages
  }

  /** Some messages are there a second later. */
  #delayed(input: Json): readonly Json[] {
    const entries = (input['Entries'] ?? []) as readonly Json[]
    if (this.#knobs.reorder !== true || String(input['QueueUrl']).endsWith('.fifo')) return entries
    return entries.map((entry) => {
      if (this.#random() >= 0.1) return entry
      this.faults.delayed++
      return { ...entry, DelaySeconds: 1 }
    })
  }

  /** Takes from a batch what fails or is about ghosts, and lets fauxqs do the rest. */
  async #batch(action: string, input: Json): Promise<Answer> {
    const entries = (input['Entries'] ?? []) as readonly Json[]
    const done: Json[] = []
    const failed: Json[] = []
    const untold = new Set<string>()
    const wanted = entries.filter((entry) => {
      const Id = String(entry['Id'])
      if (action !== 'SendMessageBatch' && this.#happens('expireHandles')) {
        if (action === 'DeleteMessageBatch') done.push({ Id })
        else
          failed.push({
            Id,
            SenderFault: true,
            Code: 'ReceiptHandleIsInvalid',
            Message: 'The receipt handle has expired',
          })
        return false
      }
      if (this.#happens('failEntries')) {
        failed.push({ Id, SenderFault: false, Code: 'InternalError', Message: 'Try again' })
        if (this.#random() < 0.5) return false
        untold.add(Id)
      }
      const ghost = this.#ghosts.findIndex(({ handle }) => handle !== '' && handle === entry['ReceiptHandle'])
      if (ghost < 0) return true
      if (!untold.has(Id)) done.push({ Id })
      if (action === 'DeleteMessageBatch') this.#ghosts.splice(ghost, 1)
      else
        Object.assign(this.#ghosts[ghost] as Ghost, {
          visibleAt: performance.now() + Number(entry['VisibilityTimeout']) * 1000,
        })
      return false
    })
    let answer: Json = {}
    if (wanted.length > 0) {
      const { status, body } = await this.#forward(action, { ...input, Entries: wanted })
      if (status !== 200) return { status, body }
      answer = JSON.parse(body) as Json
    }
    const told = (list: unknown) => ((list ?? []) as Json[]).filter(({ Id }) => !untold.has(String(Id)))
    const whole = {
      Successful: [...done, ...told(answer['Successful'])],
      Failed: [...failed, ...told(answer['Failed'])],
    }
    return { status: 200, body: JSON.stringify(whole) }
  }

  async #forward(action: string, input: object): Promise<Answer> {
    const { statusCode, body } = await this.#app.inject({
      method: 'POST',
      url: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        host: `127.0.0.1:${this.#port}`,
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/sqs/aws4_request`,
      },
      payload: JSON.stringify(input),
    })
    if (action !== 'ReceiveMessage') this.#wake()
    return { status: statusCode, body }
  }

  #happens(fault: Exclude<keyof SqsFaults, 'delayed'>): boolean {
    const share = this.#knobs[fault] ?? 0
    if (share === 0 || this.#random() >= share) return false
    this.faults[fault]++
    return true
  }
}

const failure = (status: number, code: string, message: string): Answer => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
})

/** mulberry32: numbers from 0 to 1 that follow from the seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
