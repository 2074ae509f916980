import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { refusal, startSqsScript, type Written } from '../../tooling/servers/sqs-script.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'

const secret = 'hunter2'

let before: NodeJS.ProcessEnv

beforeEach(() => {
  before = { ...process.env }
  Object.assign(process.env, sqsEnvironment, { AWS_SECRET_ACCESS_KEY: secret })
})

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, before)
})

async function expectRefused(work: Promise<unknown>, code: Code, part: string | RegExp): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^queue https?:\/\/\S+: .+$/) })
  const { message } = error as Error
  expect(message).toMatch(part)
  expect(message).not.toMatch(/hunter2|\n|request ?id|Canonical/i)
  expect(message.split('. ')).toHaveLength(1)
}

const signature =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. ' +
  `Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n${secret}'`

describe('SQS that refuses is told in one sentence', () => {
  it.each<[Code, string, string, number?]>([
    ['QUEUE_MISSING', 'QueueDoesNotExist', 'The specified queue does not exist.'],
    [
      'QUEUE_MISSING',
      'AWS.SimpleQueueService.NonExistentQueue',
      'The specified queue does not exist for this wsdl version.',
    ],
    [
      'QUEUE_MISSING',
      'InvalidAddress',
      'The address https://queue.amazonaws.com/ is not valid for this endpoint.',
      404,
    ],
    ['QUEUE_REFUSED', 'InvalidClientTokenId', 'The security token included in the request is invalid.', 403],
    [
      'QUEUE_REFUSED',
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    ],
    ['QUEUE_REFUSED', 'SignatureDoesNotMatch', signature, 403],
    ['QUEUE_REFUSED', 'ExpiredTokenException', 'The security token included in the request is expired.'],
    [
      'QUEUE_REFUSED',
      'AccessDenied',
      'User: arn:aws:iam::123456789012:user/x is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:eu-central-1:1:q because no identity-based policy allows it.',
      403,
    ],
    ['QUEUE_REFUSED', 'KmsAccessDenied', "The caller doesn't have the required KMS access."],
    ['QUEUE_REFUSED', 'KmsDisabled', 'The request was denied due to request throttling of nothing.'],
    ['QUEUE_REFUSED', 'InvalidSecurity', 'The request was not made over HTTPS.'],
    ['QUEUE_REFUSED', 'SomethingNew', 'What this is, nobody knows. Ask.'],
  ])('%s for %s', async (code, type, message, status) => {
    await using script = await startSqsScript('ours', () => refusal(type, message, status))
    await expectRefused(openQueue(script.url), code, message.slice(0, 20))
    expect(script.requests).toHaveLength(1)
  })

  it.each<[string, string, number]>([
    ['RequestThrottled', 'Rate exceeded', 400],
    ['ThrottlingException', 'Rate exceeded', 400],
    ['KmsThrottled', 'Amazon Web Services KMS throttles requests.', 400],
    ['OverLimit', 'Too many messages in flight.', 403],
    ['InternalError', 'We encountered an internal error.', 500],
    ['ServiceUnavailable', 'Service is unavailable', 503],
  ])('QUEUE_BUSY for %s', async (type, message, status) => {
    await using script = await startSqsScript('ours', () => refusal(type, message, status))
    await expectRefused(openQueue(script.url), 'QUEUE_BUSY', message.slice(0, 10))
  })

  it.each<[Code, object]>([
    [
      'MESSAGE_TOO_LARGE',
      {
        SenderFault: true,
        Code: 'InvalidParameterValue',
        Message: 'One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.',
      },
    ],
    [
      'QUEUE_REFUSED',
      { SenderFault: true, Code: 'KmsAccessDenied', Message: 'The caller has no access. Ask.' },
    ],
    [
      'QUEUE_MISSING',
      { SenderFault: true, Code: 'AWS.SimpleQueueService.NonExistentQueue', Message: 'Gone' },
    ],
  ])('%s for an entry of a batch', async (code, failure) => {
    await using script = await startSqsScript('ours', ({ action }) => {
      return action === 'SendMessageBatch'
        ? { body: { Successful: [], Failed: [{ Id: '0', ...failure }] } }
        : 'usual'
    })
    await using queue = await openQueue(script.url)
    await expectRefused(queue.publish([messageOf('a', 0)]), code, /./)
  })

  it('MESSAGE_TOO_LARGE for a batch', async () => {
    const long = refusal('BatchRequestTooLong', 'Batch requests cannot be longer than 262144 bytes.')
    await using script = await startSqsScript('ours', ({ action }): Written =>
      action === 'SendMessageBatch' ? long : 'usual',
    )
    await using queue = await openQueue(script.url)
    await expectRefused(queue.publish([messageOf('a', 0)]), 'MESSAGE_TOO_LARGE', '262144')
  })

  it('QUEUE_REFUSED for a receive', async () => {
    const denied = refusal('AccessDenied', 'Access to the resource is denied.', 403)
    await using script = await startSqsScript('ours', ({ action }): Written =>
      action === 'ReceiveMessage' ? denied : 'usual',
    )
    await using queue = await openQueue(script.url)
    await expectRefused(new Reader(queue).next(), 'QUEUE_REFUSED', 'denied')
    await expectRefused(queue.peek(1), 'QUEUE_REFUSED', 'denied')
  })
})

describe('SQS that cannot be reached', () => {
  it('is unavailable', async () => {
    await expectRefused(
      openQueue(`http://127.0.0.1:${await freePort()}/000000000000/ours`),
      'QUEUE_UNAVAILABLE',
      'ECONNREFUSED',
    )
    await expectRefused(
      openQueue('http://nobody.invalid/000000000000/ours'),
      'QUEUE_UNAVAILABLE',
      /ENOTFOUND|EAI_AGAIN/,
    )
  })

  it('without credentials refuses us at once', async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    })
    await using script = await startSqsScript('ours', () => 'usual')
    await expectRefused(openQueue(script.url), 'QUEUE_REFUSED', /credentials/i)
    expect(script.requests).toEqual([])
  })
})

it('credentials that cannot be renewed for a while are waited for', async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  const folder = mkdtempSync(join(tmpdir(), 'lading-sqs-'))
  const credentials = join(folder, 'credentials.json')
  const config = join(folder, 'config')
  const Expiration = new Date(Date.now() + 2_000).toISOString()
  writeFileSync(
    credentials,
    JSON.stringify({ Version: 1, AccessKeyId: 'test', SecretAccessKey: secret, Expiration }),
  )
  writeFileSync(config, `[default]\ncredential_process = cat ${credentials}\n`)
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_CONFIG_FILE: config,
  })
  try {
    await using script = await startSqsScript('ours', () => 'usual')
    await using queue = await openQueue(script.url)
    rmSync(credentials)
    await sleep(2_000)
    await expectRefused(queue.depth(), 'QUEUE_UNAVAILABLE', /credentials/i)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('a queue URL', () => {
  it.each([
    `https://me:${secret}@sqs.eu-central-1.amazonaws.com/123456789012/logins`,
    `https://sqs.eu-central-1.amazonaws.com/`,
    `https://sqs.eu-central-1.amazonaws.com/123456789012/${secret}!`,
    `https://sqs.eu-central-1.amazonaws.com/123456789012/logins#${secret}`,
    `https://sqs.eu-central-1.amazonaws.com/123456789012/logins?secret=${secret}`,
    `https://sqs.eu-central-1.amazonaws.com/123456789012/logins?receivers=0`,
    `https://sqs.eu-central-1.amazonaws.com/123456789012/logins?receivers=many`,
    `https://${secret}`,
  ])('that is none is not shown: %s', async (url) => {
    const error: unknown = await openQueue(url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'USAGE' })
    expect((error as Error).message).not.toContain(secret)
  })

  it.each([
    ['https://sqs.eu-central-1.amazonaws.com/123456789012/logins', 'eu-central-1'],
    ['https://sqs.us-gov-west-1.amazonaws.com/123456789012/logins.fifo', 'us-gov-west-1'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/logins', 'cn-north-1'],
    ['https://eu-west-1.queue.amazonaws.com/123456789012/logins/', 'eu-west-1'],
    ['https://sqs-fips.us-east-2.amazonaws.com/123456789012/logins', 'us-east-2'],
    ['https://sqs.ap-southeast-3.api.aws/123456789012/logins', 'ap-southeast-3'],
    ['https://vpce-0a1-b2.sqs.eu-north-1.vpce.amazonaws.com/123456789012/logins', 'eu-north-1'],
    ['http://localhost:4566/000000000000/logins?receivers=2', undefined],
    ['http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/logins', undefined],
  ])('%s is in %s', async (url, region) => {
    const { parseAddress } = await import('../../src/queue/sqs/address.ts')
    expect(parseAddress(url)).toMatchObject({ region, url: url.replace(/[?/]*(receivers=2)?$/, '') })
  })
})
