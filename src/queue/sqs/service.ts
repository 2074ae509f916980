/**
 * The client of SQS, which finds credentials, region and endpoint where it always does, and tries a call
 * three times by itself: what a socket loses, and what SQS is too busy for, for a moment. Whatever lasts
 * longer is ours to wait for, and to tell.
 */
import { SQS, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { type Address, shownQueue } from './address.ts'
import { type CallOptions, Direct, type Operation } from './direct.ts'
import { queueError } from './errors.ts'

const callAttempts = 3
const connectWithinMs = 5_000
/** For each of the three attempts of a call: one that sends a megabyte needs some seconds on a slow line. */
const answerWithinMs = 20_000
/** More than we ever have under way, so that no call waits for another. */
const sockets = 100
/** Where neither the URL nor the configuration names a region: not AWS, and such services ignore it. */
const anyRegion = 'us-east-1'

/** What an answer takes before one has come, in milliseconds. */
const firstAnswerMs = 80
/** Answers over which the mean is taken, about. */
const meanOver = 16

export interface Waiting extends Abortable {
  /** How long SQS itself waits before it answers, in milliseconds. */
  readonly waitMs?: number
}

export class Service {
  readonly url: string
  readonly where: string
  readonly #sqs: SQS
  readonly #direct: Direct
  #hasWorked = false
  #answerMs = firstAnswerMs

  private constructor(address: Address, sqs: SQS) {
    this.url = address.url
    this.where = shownQueue(address)
    this.#sqs = sqs
    this.#direct = new Direct(sqs)
  }

  static async open(address: Address): Promise<Service> {
    const region = address.region ?? (await configuredRegion()) ?? anyRegion
    const sqs = new SQS({ ...settings, region })
    useOrigin(sqs, address.origin)
    return new Service(address, sqs)
  }

  /** Throws `LadingError`s alone. */
  async call<T>(
    work: (sqs: SQS, options: CallOptions) => Promise<T>,
    { signal, waitMs = 0 }: Waiting = {},
  ): Promise<T> {
    const startedAt = performance.now()
    try {
      const abortSignal = signal === undefined ? {} : { abortSignal: signal }
      const answer = await work(this.#sqs, { ...abortSignal, requestTimeout: waitMs + answerWithinMs })
      this.#hasWorked = true
      if (waitMs === 0) this.#answerMs += (performance.now() - startedAt - this.#answerMs) / meanOver
      return answer
    } catch (error) {
      throw this.error(error)
    }
  }

  /** What the service takes to answer, in milliseconds, where it does not wait for messages. */
  get answerMs(): number {
    return this.#answerMs
  }

  /** What is called for every ten messages. Each call has an input of its own. */
  move<Input extends object, Output extends object>(
    operation: Operation<Input, Output>,
    input: Input,
    waiting: Waiting,
  ): Promise<Output> {
    return this.call((_, options) => this.#direct.call(operation, input, options), waiting)
  }

  error(thrown: unknown): LadingError {
    const error = queueError(thrown, this.where)
    // Who gives out credentials, such as the machine that we run on, may be away for a while.
    const isAway = this.#hasWorked && thrown instanceof Error && thrown.name.endsWith('ProviderError')
    return isAway ? new LadingError('QUEUE_UNAVAILABLE', error.message, { cause: thrown }) : error
  }

  close(): void {
    this.#sqs.destroy()
  }
}

const silent = () => undefined
/** Else the client writes to the console. */
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

const settings: SQSClientConfig = {
  maxAttempts: callAttempts,
  retryMode: 'standard',
  useQueueUrlAsEndpoint: false,
  logger,
  requestHandler: {
    connectionTimeout: connectWithinMs,
    requestTimeout: answerWithinMs,
    throwOnRequestTimeout: true,
    httpAgent: { maxSockets: sockets },
    httpsAgent: { maxSockets: sockets },
    logger,
  },
}

async function configuredRegion(): Promise<string | undefined> {
  const sqs = new SQS({ logger })
  try {
    return await sqs.config.region()
  } catch {
    return undefined
  } finally {
    sqs.destroy()
  }
}

/** What the client uses where no endpoint is configured. */
const regionHost = /^sqs(-fips)?\.[a-z\d-]+\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)$/

/**
 * Calls go to the host of the queue's URL, unless an endpoint is configured (AWS_ENDPOINT_URL): the client's
 * own way to do so prefers the URL even then.
 */
function useOrigin(sqs: SQS, origin: string): void {
  const middleware: Middleware = (next, context) => (args) => {
    const { endpointV2 } = context
    if (endpointV2 !== undefined && regionHost.test(endpointV2.url.hostname)) {
      Object.assign(context, { endpointV2: { ...endpointV2, url: new URL(origin) } })
    }
    return next(args)
  }
  sqs.middlewareStack.addRelativeTo(middleware, {
    relation: 'after',
    toMiddleware: 'endpointV2Middleware',
    name: 'ladingOrigin',
    override: true,
  })
}

type Middleware = <Args, Result>(
  next: (args: Args) => Result,
  context: { readonly endpointV2?: { readonly url: URL } },
) => (args: Args) => Result
