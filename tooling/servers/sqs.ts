/**
 * What tests use of SQS: a server of their file's own that starts with its first queue, and an environment
 * with which to reach it.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { type SqsStub, startSqsStub } from './sqs-stub.ts'

/**
 * For the client of SQS, in this process and in those that it starts: nobody checks it, and nobody is asked
 * for another.
 */
export const sqsEnvironment = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const

/** Deliveries before a queue of ours moves a message to its dead-letter queue by itself. */
const maxReceiveCount = '1000'

/** Call at the top of a test file. */
export function useSqs() {
  let stub: SqsStub | undefined
  beforeAll(async () => {
    Object.assign(process.env, sqsEnvironment)
    stub = await startSqsStub()
  })
  afterAll(() => stub?.stop())

  const server = (): SqsStub => {
    if (stub === undefined) throw new Error('the server has not been started')
    return stub
  }
  /** The URL of a new queue. */
  const freshSqsUrl = (attributes: Readonly<Record<string, string>> = {}, suffix = ''): Promise<string> =>
    server().createQueue(`lading-${randomUUID()}${suffix}`, attributes)
  /**
   * The URL of a new queue that has a dead-letter queue, whose URL is the same with `dead-` before the name.
   */
  const freshSqsUrlWithDead = async (
    attributes: Readonly<Record<string, string>> = {},
    suffix = '',
  ): Promise<string> => {
    const name = `lading-${randomUUID()}${suffix}`
    await server().createQueue(`dead-${name}`)
    const policy = JSON.stringify({ deadLetterTargetArn: server().arn(`dead-${name}`), maxReceiveCount })
    return await server().createQueue(name, { RedrivePolicy: policy, ...attributes })
  }
  return { server, freshSqsUrl, freshSqsUrlWithDead }
}
