/**
 * Calls that are made for every ten messages, past most layers of the client, which cost three times what all
 * the rest of a call does. Of the client are the place, the credentials, the signature and the sockets. An
 * answer that is not plainly well, or none, becomes the first one of a call of the client's own, which says
 * what it is and tries again as it does with any other.
 */
import type { SQS } from '@aws-sdk/client-sqs'

/** Given to every call of the client. */
export interface CallOptions {
  readonly abortSignal?: AbortSignal
  readonly requestTimeout: number
}

export interface Operation<Input extends object, Output extends object> {
  readonly action: string
  readonly call: (sqs: SQS, input: Input, options: CallOptions) => Promise<Output>
  /** Whether the client would take this answer, and read in it what JSON does. It may throw. */
  readonly isPlain: (answer: Output, input: Input) => boolean
}

type Signer = Awaited<ReturnType<SQS['config']['signer']>>
type Request = Parameters<Signer['sign']>[0]

/** With its whole body. */
interface Answer {
  readonly response: { readonly statusCode: number; readonly body: Buffer }
}

interface Prepared {
  readonly signer: Signer
  /** Of any call: where to, and from whom. */
  readonly request: Request
  /** Gives back to the client what it may retry, as each call of its own that goes well. */
  readonly wentWell: () => void
}

export class Direct {
  readonly #sqs: SQS
  /** One that the client made itself. */
  #sample: Request | undefined
  #prepared: Promise<Prepared> | undefined
  /** What the client has not seen yet, by the input of its call. */
  readonly #answers = new WeakMap<object, Promise<Answer>>()

  constructor(sqs: SQS) {
    this.#sqs = sqs
    const middleware: Middleware = (next) => (args) => {
      this.#sample ??= args.request
      const answer = this.#answers.get(args.input)
      this.#answers.delete(args.input)
      return answer ?? next(args)
    }
    sqs.middlewareStack.add(middleware as never, {
      step: 'deserialize',
      priority: 'low',
      name: 'ladingDirect',
    })
  }

  async call<Input extends object, Output extends object>(
    { action, call, isPlain }: Operation<Input, Output>,
    input: Input,
    options: CallOptions,
  ): Promise<Output> {
    // Why there are no credentials is for the client to say.
    // v8 ignore next -- credentials that run out while the queue is open
    const request = await this.#signed(action, JSON.stringify(input)).catch(() => undefined)
    if (request !== undefined) {
      const answer = this.#answer(request, options)
      try {
        const { response } = await answer
        if (response.statusCode === 200) {
          const output = JSON.parse(response.body.toString()) as Output
          if (isPlain(output, input)) {
            ;(await this.#prepared)?.wentWell()
            return output
          }
        }
      } catch {
        // The client meets it again.
      }
      this.#answers.set(input, answer)
    }
    try {
      return await call(this.#sqs, input, options)
    } finally {
      this.#answers.delete(input)
    }
  }

  /** With a body of text, which goes out in one piece with its head. */
  async #signed(action: string, body: string): Promise<Request | undefined> {
    // v8 ignore next -- opening a queue has already asked for its attributes
    if (this.#sample === undefined) return undefined
    const { signer, request } = await (this.#prepared ??= this.#prepare(this.#sample))
    const own = { 'x-amz-target': `AmazonSQS.${action}`, 'content-length': String(Buffer.byteLength(body)) }
    const signingDate = new Date(Date.now() + this.#sqs.config.systemClockOffset)
    return signer.sign({ ...request, headers: { ...request.headers, ...own }, body }, { signingDate })
  }

  async #prepare({ headers, ...place }: Request): Promise<Prepared> {
    const { config } = this.#sqs
    const retries = await config.retryStrategy()
    // v8 ignore next -- a client of another version
    if (!('recordSuccess' in retries)) throw new TypeError('the client counts no retries')
    const token = await retries.acquireInitialRetryToken('')
    const same = Object.entries(headers).filter(([name]) => sameHeaders.has(name))
    return {
      signer: await config.signer(),
      request: { ...place, headers: Object.fromEntries(same) },
      wentWell: () => retries.recordSuccess(token),
    }
  }

  async #answer(request: Request, options: CallOptions): Promise<Answer> {
    const { response } = await this.#sqs.config.requestHandler.handle(request, options)
    return { response: Object.assign(response, { body: await bytesOf(response.body) }) }
  }
}

/** Which any call of the client has. */
const sameHeaders = new Set(['host', 'content-type', 'x-amzn-query-mode', 'user-agent', 'x-amz-user-agent'])

type Next = (args: { readonly input: object; readonly request: Request }) => Promise<Answer>
type Middleware = (next: Next) => Next

/** By events, which cost half of what an iterator does. */
function bytesOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('error', reject)
    stream.on('end', () => resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)))
  })
}
