/** A server whose answers the test writes, for what no server of SQS does on demand. */
import { hash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Request {
  readonly action: string
  /** For which the call was signed. */
  readonly region: string | undefined
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly input: Record<string, any>
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What is answered; `undefined` is never answered. */
export type Answer =
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      /** Written as JSON; a string as it is. */
      readonly body: object | string
      /** The connection is lost in the middle of it. */
      readonly isCut?: boolean
    }
  | undefined

/** Or what a queue without trouble answers. */
export type Written = Answer | 'usual'

export interface SqsScript extends AsyncDisposable {
  readonly url: string
  /** Calls in the order in which they came. */
  readonly requests: readonly Request[]
}

export const refusal = (code: string, message: string, status = 400): Answer => ({
  status,
  body: { __type: `com.amazonaws.sqs#${code}`, message },
})

export async function startSqsScript(
  queueName: string,
  script: (request: Request) => Written | Promise<Written>,
): Promise<SqsScript> {
  const requests: Request[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(String(request.headers.authorization))?.[1]
    const body = Buffer.concat(chunks).toString()
    const { headers } = request
    const one = { action, region, input: JSON.parse(body) as Request['input'], headers, body }
    requests.push(one)
    const written = await script(one)
    const answer = written === 'usual' ? usual(one) : written
    if (answer === undefined) return
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(text),
      ...answer.headers,
    })
    if (answer.isCut === true) response.write(text.slice(0, 20), () => response.destroy())
    else response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/000000000000/${queueName}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Of a queue without trouble. */
export function usual({ action, input }: Request): Answer {
  switch (action) {
    case 'GetQueueAttributes':
      return { body: { Attributes: { VisibilityTimeout: '30', MaximumMessageSize: '262144' } } }
    case 'ReceiveMessage':
      return undefined
    default:
      return {
        body: {
          Successful: ((input['Entries'] ?? []) as Request['input'][]).map(({ Id, MessageBody }) =>
            MessageBody === undefined ? { Id } : { Id, MD5OfMessageBody: hash('md5', MessageBody as string) },
          ),
          Failed: [],
        },
      }
  }
}
