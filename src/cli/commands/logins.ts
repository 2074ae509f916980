import { Command, InvalidArgumentError, Option } from 'commander'
import { retrying } from '../../core/retry.ts'
import { LadingError } from '../../core/errors.ts'
import { shownUrl } from '../../core/url.ts'
import type { LoginMessage } from '../../generate/logins.ts'
import { defaultQueueUrl } from '../../queue/registry.ts'
import { queueDefault } from '../settings/environment.ts'
import { withExamples } from '../settings/examples.ts'
import { jsonOption, whole } from '../settings/options.ts'
import { count, counted, print, printJson } from '../terminal/output.ts'
import { createOption, openWorkingQueue, type QueueFlags, startTimeoutOption } from '../run/queue.ts'
import { reporter } from '../terminal/report.ts'
import { stopSignal } from '../run/signals.ts'

interface Flags extends Omit<QueueFlags, 'queue'> {
  readonly count: number
  readonly seed: number
  readonly broken: number
  readonly duplicates: number
  readonly toFile: string
  /** True if the option has no URL. */
  readonly queue?: string | true
  readonly json?: true
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Not a number from 0 to 1.')
  return value
}

export function loginsCommand(): Command {
  const command = new Command('logins')
    .description('login events as JSON, for the model user_logins; the same seed gives the same events')
    .addOption(new Option('--count <n>', 'number of messages').default(100).argParser(whole(0)))
    .addOption(new Option('--seed <n>', 'seed of the events').default(42).argParser(whole(0)))
    .addOption(
      new Option('--broken <share>', 'share of events that no consumer can load, 0 to 1')
        .default(0)
        .argParser(share),
    )
    .addOption(
      new Option('--duplicates <share>', 'share of events that repeat an earlier one, 0 to 1')
        .default(0)
        .argParser(share),
    )
    .addOption(
      new Option('--to-file <file>', 'output file, one event per line')
        .default('./logins.ndjson')
        .conflicts('queue'),
    )
    .addOption(
      new Option(
        '--queue [url]',
        'publish the events instead, each with its id; without a URL, to the queue of LADING_QUEUE',
      ),
    )
    .addOption(createOption())
    .addOption(startTimeoutOption())
    .addOption(jsonOption())
  withExamples(command, [
    ['generate logins', '100 events in ./logins.ndjson'],
    [
      'generate logins --count 10000 --broken 0.01 --duplicates 0.05 --queue',
      'into the queue of LADING_QUEUE',
    ],
  ])
  return command.action(async (flags: Flags) => {
    const { logins, writeLogins } = await import('../../generate/logins.ts')
    const signal = stopSignal()
    const made = new Counter(logins(flags))
    // The queue in a configuration file is for consuming. Events go there only if this command line says so.
    if (command.getOptionValueSource('queue') !== 'cli') {
      const bytes = await writeLogins(flags.toFile, made, { signal })
      if (flags.json) printJson({ ...made.totals, bytes, file: flags.toFile })
      else print(`wrote ${made} to ${flags.toFile} (${count(bytes)} bytes)`)
      return
    }
    const url = flags.queue === undefined || flags.queue === true ? namedQueue() : flags.queue
    await publish({ ...flags, queue: url }, made, signal)
    if (flags.json) printJson({ ...made.totals, queue: shownUrl(url) })
    else print(`published ${made} to ${shownUrl(url)}`)
  })
}

const namedQueue = (): string =>
  process.env['LADING_QUEUE'] || (queueDefault(process.env)?.text ?? defaultQueueUrl)

/** Messages per request to a queue. */
const windowMessages = 256

async function publish(
  flags: QueueFlags,
  messages: Iterable<LoginMessage>,
  signal: AbortSignal,
): Promise<void> {
  const onEvent = reporter()
  await using queue = await openWorkingQueue(flags, onEvent, signal)
  let window: LoginMessage[] = []
  const flush = async () => {
    // v8 ignore next -- a stop between two windows
    if (signal.aborted) throw new LadingError('ABORTED', 'stopped before every event was published')
    const outgoing = window.map(({ key, body }) => ({ key, body: Buffer.from(body), headers: {} }))
    window = []
    // A message published twice has the same key.
    await retrying(() => queue.publish(outgoing, { signal }), { signal, onEvent })
  }
  for (const message of messages) {
    window.push(message)
    if (window.length === windowMessages) await flush()
  }
  if (window.length > 0) await flush()
}

/** Passes messages on, and counts them by kind. */
class Counter implements Iterable<LoginMessage> {
  readonly #messages: Iterable<LoginMessage>
  readonly totals = { messages: 0, broken: 0, duplicates: 0 }

  constructor(messages: Iterable<LoginMessage>) {
    this.#messages = messages
  }

  *[Symbol.iterator](): Generator<LoginMessage> {
    for (const message of this.#messages) {
      this.totals.messages++
      if (message.isRepeated) this.totals.duplicates++
      else if (message.flaw !== undefined) this.totals.broken++
      yield message
    }
  }

  toString(): string {
    const { messages, broken, duplicates } = this.totals
    return `${counted(messages, 'login event')}, ${count(broken)} broken and ${count(duplicates)} repeated,`
  }
}
