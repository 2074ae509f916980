/** The calls that move messages go past most layers of the client: what these do for them holds all the same. */
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { openQueue } from '../../src/queue/registry.ts'
import {
  refusal,
  type Request,
  startSqsScript,
  usual,
  type Written,
} from '../../tooling/servers/sqs-script.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalMessage, md5 } from './sqs-messages.ts'

const secret = 'hunter2'
const actions = ['SendMessageBatch', 'ReceiveMessage', 'ChangeMessageVisibilityBatch', 'DeleteMessageBatch']
let before: NodeJS.ProcessEnv
let folder: string

beforeEach(() => {
  before = { ...process.env }
  folder = mkdtempSync(join(tmpdir(), 'lading-sqs-'))
  Object.assign(process.env, sqsEnvironment, { AWS_SECRET_ACCESS_KEY: secret })
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, before)
})

/** As AWS does it, by the letter of its documentation. */
function signatureOf({ headers, body }: Request, key: string): string {
  const [, scope = '', signed = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+),/.exec(headers['authorization'] as string) ?? []
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const hmac = (by: string | Buffer, text: string) => createHmac('sha256', by).update(text).digest()
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name])}\n`)
  const canonical = `POST\n/\n\n${lines.join('')}\n${signed}\n${sha256(body)}`
  const text = `AWS4-HMAC-SHA256\n${String(headers['x-amz-date'])}\n${scope}\n${sha256(canonical)}`
  const signing = scope.split('/').reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${key}`)
  return hmac(signing, text).toString('hex')
}

/** Answers each of the calls for messages with the next of what is written, and then with nothing. */
const receives = (answers: Written[]) => (request: Request) =>
  request.action === 'ReceiveMessage' ? (answers.shift() ?? 'usual') : 'usual'

const messages = (...keys: string[]): Written => ({
  body: { Messages: keys.map((key) => externalMessage(key)) },
})

const of = (requests: readonly Request[], action: string) => requests.filter((each) => each.action === action)

describe('a call that moves messages', () => {
  it.each([undefined, 'token/of+a=session'])('is signed, with the session %s', async (token) => {
    if (token !== undefined) process.env['AWS_SESSION_TOKEN'] = token
    await using script = await startSqsScript('ours', receives([messages('ü', '1')]))
    await using queue = await openQueue(script.url)
    await queue.publish([messageOf('a', 0)])
    const [one, two] = await new Reader(queue).take(2)
    await one?.settle({ kind: 'done' })
    await two?.settle({ kind: 'retry', afterMs: 1_000, code: 'SINK_BUSY' })
    expect(script.requests.map(({ action }) => action)).toEqual(expect.arrayContaining(actions))
    for (const request of script.requests) {
      const { authorization } = request.headers
      expect(authorization).toMatch(/SignedHeaders=\S*content-type;host;\S*x-amz-date;\S*x-amz-target/)
      expect(authorization?.split('Signature=')[1]).toBe(signatureOf(request, secret))
      expect(request.headers['x-amz-security-token']).toBe(token)
      expect(request.headers['user-agent']).toMatch(/^aws-sdk-js/)
      // The client marks calls of its own.
      expect(request.headers['amz-sdk-invocation-id'] === undefined).toBe(actions.includes(request.action))
    }
  })

  it('is signed by the credentials of the moment', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name]
    const credentials = join(folder, 'credentials.json')
    const give = (AccessKeyId: string) => {
      const Expiration = new Date(Date.now() + 60_000).toISOString()
      writeFileSync(
        credentials,
        JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey: secret, Expiration }),
      )
    }
    writeFileSync(join(folder, 'config'), `[default]\ncredential_process = cat ${credentials}\n`)
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: join(folder, 'config'),
    })
    give('old')
    await using script = await startSqsScript('ours', () => 'usual')
    await using queue = await openQueue(script.url)
    const who = () =>
      of(script.requests, 'SendMessageBatch').map(({ headers }) =>
        /Credential=(\w+)/.exec(headers['authorization'] as string)?.at(1),
      )
    await queue.publish([messageOf('a', 0)])
    expect(who()).toEqual(['old'])
    give('new')
    // The client goes on with the old ones, which are still good, until it has new ones.
    await expect
      .poll(async () => {
        await queue.publish([messageOf('a', 1)])
        return who().at(-1)
      })
      .toBe('new')
  })

  it("is signed for the server's time when ours is wrong", async () => {
    const hour = 3_600_000
    let ahead = 0
    const dates: number[] = []
    const dateOf = (text: string) =>
      Date.parse(text.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'))
    await using script = await startSqsScript('ours', (request): Written => {
      const date = dateOf(request.headers['x-amz-date'] as string)
      if (request.action === 'SendMessageBatch') dates.push(date)
      const answer =
        date > Date.now() + ahead - hour
          ? usual(request)
          : refusal('InvalidSignatureException', 'Signature expired: it is later than that.', 403)
      return answer && { ...answer, headers: { date: new Date(Date.now() + ahead).toUTCString() } }
    })
    await using queue = await openQueue(script.url)
    ahead = 3 * hour
    await queue.publish([messageOf('a', 0)])
    await queue.publish([messageOf('a', 1)])
    expect(dates.map((date) => Math.floor((date - Date.now() + hour / 2) / hour))).toEqual([0, 3, 3])
  })

  it('that fails for a moment is tried three times, without a word', async () => {
    const events: LadingEvent[] = []
    const busy = refusal('ServiceUnavailable', 'Service is unavailable', 503)
    await using script = await startSqsScript('ours', receives([busy, busy, messages('0')]))
    await using queue = await openQueue(script.url, { onEvent: (event) => events.push(event) })
    expect(String((await new Reader(queue).takeOne()).body)).toBe('0')
    expect(events).toEqual([])
  })

  it('whose answer is cut off is tried again', async () => {
    const cut = { body: { Messages: [externalMessage('0')] }, isCut: true }
    await using script = await startSqsScript('ours', receives([cut, messages('1')]))
    await using queue = await openQueue(script.url)
    expect(String((await new Reader(queue).takeOne()).body)).toBe('1')
  })

  it('that is refused is not tried again', async () => {
    const denied = refusal('AccessDenied', 'Access to the resource is denied.', 403)
    await using script = await startSqsScript('ours', receives([denied]))
    await using queue = await openQueue(script.url)
    await expect(new Reader(queue).next()).rejects.toMatchObject({ code: 'QUEUE_REFUSED' })
    expect(of(script.requests, 'ReceiveMessage')).toHaveLength(1)
  })
})

describe('an answer', () => {
  it('whose message is not what was sent is none', async () => {
    const broken = { ...externalMessage('0'), MD5OfBody: md5('1') }
    await using script = await startSqsScript('ours', receives([{ body: { Messages: [broken] } }]))
    await using queue = await openQueue(script.url)
    await expect(new Reader(queue).next()).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('MD5'),
    })
  })

  it('that has another message than was sent is none', async () => {
    await using script = await startSqsScript('ours', ({ action }): Written =>
      action === 'SendMessageBatch'
        ? { body: { Successful: [{ Id: '0', MessageId: '0', MD5OfMessageBody: md5('') }] } }
        : 'usual',
    )
    await using queue = await openQueue(script.url)
    await expect(queue.publish([messageOf('a', 0)])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
  })

  it.each<[string, Written]>([
    ['nothing', { body: { Messages: null } }],
    ['no list', { body: { Messages: {} } }],
    ['no JSON', { body: `<html>${secret}` }],
  ])('with %s is read as the client reads it', async (_, answer) => {
    await using script = await startSqsScript('ours', receives([answer, messages('0')]))
    await using queue = await openQueue(script.url)
    const taken = await new Reader(queue).takeOne().catch((error: unknown) => error)
    if (taken instanceof Error) {
      expect(taken).toMatchObject({ code: 'QUEUE_REFUSED' })
      expect(taken.message).not.toContain(secret)
    } else expect(taken).toMatchObject({ attempt: 1 })
  })
})
