/**
 * Questions to a broker that change nothing, though AMQP has none for rights or for the arguments of a queue. A
 * broker checks rights before it looks at arguments, so an operation with an impossible argument is refused for
 * the one or for the other, and never done.
 */
import type { Options } from 'amqplib'
import { sleep } from '../../../core/wait.ts'
import type { Connection, Epoch } from '../connection.ts'

export type Answer = 'allowed' | 'refused'

/** The reply code and the text of the broker; undefined where it did what it was asked. */
interface Reply {
  readonly code: number
  readonly text: string
}

async function replyTo(
  connection: Connection,
  ask: (epoch: Epoch) => Promise<unknown>,
): Promise<Reply | undefined> {
  const epoch = await connection.channel()
  try {
    await epoch.answered(ask(epoch))
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const [, code, text = message] = /(\d{3}) \([A-Z-]+\) with message "(.*)"$/s.exec(message) ?? []
    // v8 ignore next -- a connection that ends before the answer to this one question
    if (code === undefined) throw epoch.ended() ?? error
    return { code: Number(code), text }
  } finally {
    await epoch.close()
  }
}

const accessRefused = 403
const answerOf = (reply: Reply | undefined): Answer => (reply?.code === accessRefused ? 'refused' : 'allowed')

/** Whether the user may configure the queue, which need not be there. */
export const mayConfigure = async (connection: Connection, queue: string): Promise<Answer> =>
  answerOf(
    await replyTo(connection, ({ channel }) =>
      channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': -1 } }),
    ),
  )

// v8 ignore next -- it is never called
const ignoreDelivery = (): void => undefined

/** Whether the user may read the queue: a priority that is no number never begins to consume. */
export const mayRead = async (connection: Connection, queue: string): Promise<Answer> =>
  answerOf(
    await replyTo(connection, ({ channel }) =>
      channel.consume(queue, ignoreDelivery, { arguments: { 'x-priority': 'none' } }),
    ),
  )

const publishWithinMs = 3_000

/**
 * Publishes what no queue takes, and which therefore comes back. A broker that takes nothing now says so when it has
 * taken one: `blocked` resolves then.
 */
export async function mayPublish(
  connection: Connection,
  key: string,
  blocked: Promise<'blocked'>,
): Promise<Answer | 'blocked' | 'silent'> {
  const epoch = await connection.channel()
  const refused = new Promise<Answer>((resolve) => epoch.onEnd(() => resolve('refused')))
  try {
    for (let n = 0; n < 2; n++) {
      const returned = new Promise<Answer>((resolve) => {
        epoch.channel.once('return', () => resolve('allowed'))
      })
      epoch.channel.publish('', key, Buffer.alloc(0), { mandatory: true })
      const answer = await Promise.race([returned, refused, blocked, sleep(publishWithinMs)])
      if (answer !== 'allowed') return answer ?? 'silent'
    }
    return 'allowed'
  } finally {
    // Who is blocked is not answered.
    if (!epoch.isBlocked()) await epoch.close()
  }
}

export interface QueueState {
  readonly messages: number
  readonly consumers: number
}

/** Undefined where there is no such queue. */
export async function stateOf(connection: Connection, queue: string): Promise<QueueState | undefined> {
  let found: QueueState | undefined
  const reply = await replyTo(connection, async ({ channel }) => {
    const { messageCount, consumerCount } = await channel.checkQueue(queue)
    found = { messages: messageCount, consumers: consumerCount }
  })
  if (reply === undefined || reply.code === 404) return found
  throw new Error(reply.text)
}

export type Arguments = Readonly<Record<string, string | number | boolean>>

/** What a queue was made with. */
export interface Made {
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly arguments: Arguments
}

/** A queue has fewer arguments. */
const mostDifferences = 20
const argument = /inequivalent arg '([\w-]+)'/
const difference =
  /inequivalent arg '([\w-]+)' .*received .*? but current is (none|(?:the value )?'(.*?)'(?: of type '(\w+)')?)(?:$|\W*$)/s

/**
 * What a queue that is there was made with. The broker names the first argument that differs from a declaration,
 * with its value, so the declaration is corrected until none differs. AMQP cuts what it says after 255 bytes, but it
 * says less where the declaration is without the argument. Undefined where that is too long too.
 */
export async function madeWith(
  connection: Connection,
  queue: string,
  expected: Arguments,
): Promise<Made | undefined> {
  let made: Made = { durable: true, autoDelete: false, arguments: expected }
  for (let n = 0; n < mostDifferences; n++) {
    const { durable, autoDelete, arguments: args } = made
    const options: Options.AssertQueue = { durable, autoDelete, arguments: args }
    const reply = await replyTo(connection, ({ channel }) => channel.assertQueue(queue, options))
    if (reply === undefined) return made
    const [, name, current, value = '', type] = difference.exec(reply.text) ?? []
    const cut = argument.exec(reply.text)?.[1]
    if (name !== undefined) {
      // Of a value that has the type of ours the broker does not say it.
      const ours = type ?? typeof made.arguments[name]
      made = corrected(made, name, current === 'none' ? undefined : typed(value, ours))
    } else if (cut !== undefined && made.arguments[cut] !== undefined) made = corrected(made, cut, undefined)
    else return undefined
  }
  return undefined
}

function corrected(made: Made, name: string, value: string | number | boolean | undefined): Made {
  if (name === 'durable') return { ...made, durable: value === 'true' }
  if (name === 'auto_delete') return { ...made, autoDelete: value === 'true' }
  const { [name]: _, ...others } = made.arguments
  return { ...made, arguments: value === undefined ? others : { ...others, [name]: value } }
}

/** Of AMQP and of JavaScript. */
const texts: readonly string[] = ['longstr', 'string', 'undefined']

const typed = (value: string, type: string): string | number | boolean =>
  texts.includes(type) ? value : type.startsWith('bool') ? value === 'true' : Number(value)
