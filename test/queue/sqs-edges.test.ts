/** What a queue of SQS meets rarely: settlements that are refused, messages that are not what they say, odd answers. */
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import type { Delivery } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { parseAddress, siblingUrl } from '../../src/queue/sqs/address.ts'
import { queueError } from '../../src/queue/sqs/errors.ts'
import { refusal, type Request, startSqsScript, type Written } from '../../tooling/servers/sqs-script.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalMessage } from './sqs-messages.ts'

const done = { kind: 'done' } as const

beforeAll(() => void Object.assign(process.env, sqsEnvironment))
afterEach(() => vi.restoreAllMocks())

/** A queue that gives these messages, and answers other calls as `others` say. */
async function scripted(
  messages: readonly object[],
  others: (request: Request) => Written = () => 'usual',
  name = 'ours',
) {
  const answers: (readonly object[])[] = [messages]
  const script = await startSqsScript(name, (request) => {
    if (request.action !== 'ReceiveMessage') return others(request)
    const Messages = answers.shift()
    return Messages === undefined ? 'usual' : { body: { Messages } }
  })
  const queue = await openQueue(`${script.url}?receivers=1`)
  return {
    script,
    queue,
    calls: (action: string) => script.requests.filter((each) => each.action === action),
    taken: () => new Reader(queue).take(messages.length),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await script[Symbol.asyncDispose]()
    },
  }
}

it('a code that nobody knows is told by its status, and an error without a sentence by its code', () => {
  const error = (status: number, message = '') =>
    Object.assign(new Error(message), { name: 'Odd', $metadata: { httpStatusCode: status } })
  expect(queueError(error(500), 'here')).toMatchObject({ code: 'QUEUE_BUSY', message: 'here: Odd' })
  expect(queueError(error(404, 'Gone.'), 'here')).toMatchObject({
    code: 'QUEUE_MISSING',
    message: 'here: Gone (Odd)',
  })
})

it('a dead-letter queue whose name cannot be read is none', () => {
  const address = parseAddress('https://sqs.eu-central-1.amazonaws.com/1/ours')
  expect(siblingUrl(address, 'arn:aws:sqs:eu-central-1:2:theirs')).toMatch(/\/2\/theirs$/)
  expect(siblingUrl(address, 'theirs')).toBeUndefined()
})

it('a settlement and an extension that SQS refuses fail, and may be tried again', async () => {
  let isRefused = true
  const Failed = [{ Id: '0', SenderFault: true, Code: 'AccessDenied', Message: 'No' }]
  await using at = await scripted([externalMessage('a')], ({ action }) => {
    if (!isRefused) return 'usual'
    if (action === 'DeleteMessageBatch') return { body: { Successful: [], Failed } }
    return action === 'ChangeMessageVisibilityBatch' ? refusal('AccessDenied', 'No.', 403) : 'usual'
  })
  const [delivery] = (await at.taken()) as [Delivery]
  await expect(delivery.extend?.(60_000)).rejects.toMatchObject({ code: 'QUEUE_REFUSED' })
  await expect(delivery.settle(done)).rejects.toMatchObject({ code: 'QUEUE_REFUSED' })
  isRefused = false
  await delivery.settle(done)
  expect(at.calls('DeleteMessageBatch')).toHaveLength(2)
})

it('a message that is not what its attribute says goes on as it is', async () => {
  const withOwn = (key: string, own: string) => ({
    ...externalMessage(key),
    MessageAttributes: { 'lading-message': { DataType: 'String', StringValue: own } },
  })
  const own = JSON.stringify({ key: 'packed', headers: {}, body: 'gzip' })
  await using at = await scripted([withOwn('not packed', own), withOwn('no JSON', '{')])
  const taken = await at.taken()
  expect(taken.map(({ key, body }) => [key, Buffer.from(body).toString()])).toEqual([
    ['packed', 'not packed'],
    ['id of no JSON', 'no JSON'],
  ])
})

it('an answer that is none of a batch is not taken for one', async () => {
  await using at = await scripted([], ({ action }) =>
    action === 'SendMessageBatch' ? { body: { Successful: {} } } : 'usual',
  )
  await expect(at.queue.publish([messageOf('a', 0)])).rejects.toMatchObject({ code: 'QUEUE_REFUSED' })
})

it('a message that is being settled is not given back with one in front of it', async () => {
  const messages = ['0', '1'].map((key) => externalMessage(key, 'group'))
  await using at = await scripted(messages, () => 'usual', 'ours.fifo')
  const [first, second] = (await at.taken()) as [Delivery, Delivery]
  await Promise.all([second.settle(done), first.settle({ kind: 'release' })])
  expect(at.calls('DeleteMessageBatch').map(({ input }) => input['Entries'])).toMatchObject([
    [{ ReceiptHandle: 'handle of 1' }],
  ])
  expect(at.calls('ChangeMessageVisibilityBatch').map(({ input }) => input['Entries'])).toMatchObject([
    [{ ReceiptHandle: 'handle of 0' }],
  ])
})

it('a message that was held for twelve hours is not extended any more', async () => {
  const Attributes = { VisibilityTimeout: '43200', MaximumMessageSize: '262144' }
  await using at = await scripted([externalMessage('a')], ({ action }) =>
    action === 'GetQueueAttributes' ? { body: { Attributes } } : 'usual',
  )
  const [delivery] = (await at.taken()) as [Delivery]
  const start = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(start + 43_199_000)
  await delivery.extend?.(60_000)
  expect(at.calls('ChangeMessageVisibilityBatch')).toEqual([])
})

it('a dead-letter queue that may not be seen counts nothing, and one that does not answer is not passed over', async () => {
  const RedrivePolicy =
    '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:theirs","maxReceiveCount":100}'
  const Attributes = { VisibilityTimeout: '30', MaximumMessageSize: '262144', RedrivePolicy }
  let dead: Written = refusal('AccessDenied', 'No.', 403)
  await using at = await scripted([], ({ action, input }) => {
    if (action !== 'GetQueueAttributes') return 'usual'
    return String(input['QueueUrl']).endsWith('/theirs') ? dead : { body: { Attributes } }
  })
  expect(await at.queue.depth()).toMatchObject({ dead: 0 })
  vi.spyOn(Math, 'random').mockReturnValue(0)
  dead = { body: { Attributes }, isCut: true }
  await expect(at.queue.depth()).rejects.toBeInstanceOf(LadingError)
})

it('http:// to an address that is not known to be of this machine is told', async () => {
  await using script = await startSqsScript('ours', () => 'usual')
  await using queue = await openQueue(script.url.replace('127.0.0.1', '0.0.0.0'))
  expect(queue.traits.warnings).toEqual([expect.stringMatching(/^http:\/\/ sends .* as plain text/)])
})
