/** What `lading doctor` finds of an SQS queue: its attributes, which is all that can be asked without an effect. */
import { count } from '../../core/counted.ts'
import { sizeText } from '../../core/disk.ts'
import { checked, failure, type Finding, findingsAbout } from '../../core/finding.ts'
import type { QueueQuestions } from '../examination.ts'
import { type Address, parseAddress } from './address.ts'
import { countIn, DeadLetterQueue } from './dead-letters.ts'
import { largestBody } from './message.ts'
import { Service } from './service.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

type Attributes = Readonly<Record<string, string>>

/** Seconds. */
const shortLease = 60
const longLease = 3600
const day = 86_400
const longRetention = 14 * day
/** With room for the deliveries of stopped and killed consumers. */
const enoughReceives = 100
/** Files need so much. */
const leastMessage = 8 * 1024
const mib = 1024 ** 2

export async function* examine(url: string, { signal }: QueueQuestions): AsyncGenerator<Finding> {
  const address = parseAddress(url)
  const service = await Service.open(address)
  try {
    let attributes: Attributes
    const since = performance.now()
    try {
      const input = { QueueUrl: service.url, AttributeNames: ['All' as const] }
      const { Attributes = {} } = await service.call(
        (sqs, options) => sqs.getQueueAttributes(input, options),
        { signal },
      )
      attributes = Attributes
    } catch (thrown) {
      yield failure('queue', 'connection', thrown)
      return
    }
    yield ok(
      'connection',
      `${address.isFifo ? 'FIFO ' : ''}queue ${address.name}, ${Math.round(performance.now() - since)} ms for the first call`,
    )
    yield address.isPrivate
      ? ok('encryption', 'calls are encrypted, or stay on this machine')
      : warn('encryption', 'http:// sends all records as plain text', 'https:// in the URL')
    yield* settings(address, attributes)
    yield* await checked('queue', 'dead-letter queue', async (add) =>
      add(...(await redrive(service, address, attributes, signal))),
    )
    yield* rights(attributes)
  } finally {
    service.close()
  }
}

function set(url: string, attributes: Readonly<Record<string, string>>): string {
  return `aws sqs set-queue-attributes --queue-url '${url}' --attributes '${JSON.stringify(attributes)}'`
}

function* settings({ url, isFifo }: Address, attributes: Attributes): Generator<Finding> {
  const of = (name: string) => (attributes[name] === undefined ? undefined : Number(attributes[name]))
  const waiting = countIn(attributes, 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed')
  const held = countIn(attributes, 'ApproximateNumberOfMessagesNotVisible')
  yield waiting + held === 0
    ? ok('queue', 'it is empty, by the estimate of SQS')
    : note(
        'queue',
        `about ${count(waiting)} messages wait and ${count(held)} are with consumers`,
        'lading status',
      )
  const lease = of('VisibilityTimeout')
  if (lease !== undefined && lease < shortLease)
    yield warn(
      'VisibilityTimeout',
      `it is ${lease} s, and consumers renew it at a third of that: many calls, and a pause of a consumer lets its messages come again`,
      set(url, { VisibilityTimeout: '300' }),
    )
  else if (lease !== undefined && lease > longLease)
    yield note(
      'VisibilityTimeout',
      `it is ${lease} s: messages of a killed consumer come again only after that`,
      set(url, { VisibilityTimeout: '300' }),
    )
  else if (lease !== undefined) yield ok('VisibilityTimeout', `${lease} s, renewed at a third of that`)
  const retention = of('MessageRetentionPeriod')
  if (retention !== undefined && retention < longRetention)
    yield (retention < day ? warn : note)(
      'MessageRetentionPeriod',
      `messages that wait longer than ${retention < day ? `${count(retention)} s` : `${Math.round(retention / day)} days`} are lost (lading verify shows their records as open)`,
      set(url, { MessageRetentionPeriod: String(longRetention) }),
    )
  const largest = of('MaximumMessageSize')
  if (largest !== undefined && largest < leastMessage)
    yield fail(
      'MaximumMessageSize',
      `it is ${count(largest)} bytes, and chunks of files need 8 KiB or more`,
      set(url, { MaximumMessageSize: String(mib) }),
    )
  else if (largest !== undefined)
    yield (largest < mib ? note : ok)(
      'MaximumMessageSize',
      `${sizeText(largest)}: a record may have ${sizeText(largestBody(largest))}${largest < mib ? ', and a load makes more calls than it must' : ''}`,
      largest < mib ? set(url, { MaximumMessageSize: String(mib) }) : undefined,
    )
  const delay = of('DelaySeconds')
  if (delay !== undefined && delay > 0)
    yield note(
      'DelaySeconds',
      `each message waits ${delay} s before a consumer sees it`,
      set(url, { DelaySeconds: '0' }),
    )
  if (isFifo) yield note('FIFO', 'chunks need no order, and a standard queue is several times as fast')
  if (attributes['KmsMasterKeyId'] !== undefined)
    yield note(
      'KMS',
      `messages are encrypted with ${attributes['KmsMasterKeyId']}: a consumer needs kms:Decrypt on it, a producer kms:GenerateDataKey too`,
    )
  else if (attributes['SqsManagedSseEnabled'] === 'true')
    yield ok('KMS', 'messages are encrypted with a key of SQS')
}

async function redrive(
  service: Service,
  address: Address,
  attributes: Attributes,
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const policy = attributes['RedrivePolicy']
  const dead = DeadLetterQueue.of(service, address, policy)
  if (dead === undefined)
    return [ok('dead-letter queue', 'none: after 20 deliveries a consumer keeps a message in the ledger')]
  const found: Finding[] = []
  if (dead.maxReceiveCount < enoughReceives)
    found.push(
      warn(
        'dead-letter queue',
        `SQS moves a message away after ${dead.maxReceiveCount} deliveries, and counts those of stopped and killed consumers: ${enoughReceives} or more leave that to Lading, which keeps the reason`,
        set(address.url, {
          RedrivePolicy: JSON.stringify({
            ...(JSON.parse(policy ?? '{}') as object),
            maxReceiveCount: String(enoughReceives),
          }),
        }),
      ),
    )
  const messages = await dead.count({ signal })
  found.push(
    messages === 0
      ? ok(
          'dead-letter queue',
          `after ${dead.maxReceiveCount} deliveries; empty, or not to be seen with these rights`,
        )
      : warn('dead-letter queue', `it holds about ${count(messages)} messages, which SQS has set aside`),
  )
  return found
}

const actions = [
  'GetQueueAttributes',
  'SendMessage',
  'ReceiveMessage',
  'DeleteMessage',
  'ChangeMessageVisibility',
]

/** Any of the other calls would have an effect. */
function* rights({ QueueArn = '' }: Attributes): Generator<Finding> {
  yield note(
    'rights',
    'sqs:GetQueueAttributes is there. Whether the others are cannot be asked without an effect; this is what producers and consumers need',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: actions.map((action) => `sqs:${action}`), Resource: QueueArn }],
    }),
  )
}
