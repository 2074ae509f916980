/** Options of all commands that consume. */
import { Option } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { createOption, startTimeoutOption } from '../run/queue.ts'
import type { HttpFlags } from './http.ts'
import {
  allowRejectsOption,
  dedupKeyOption,
  ignoreExtraOption,
  type InsideFlags,
  insideOptions,
  insideSettings,
  positive,
  rootOption,
  toOption,
  whole,
} from './options.ts'

/** Flags of all commands that consume. */
export interface ConsumeFlags extends HttpFlags, InsideFlags {
  readonly queue: string
  readonly to: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly root: string
  readonly create: boolean
  readonly batchMessages: number
  readonly maxAttempts: number
  readonly setAside: readonly string[]
  readonly messageAttempts: number
  readonly batchAttempts?: number
  readonly retryPause: number
  readonly startTimeout: number
  readonly allowRejects?: boolean
  readonly json?: boolean
}

export const consumeOptions = () => [
  toOption(),
  ignoreExtraOption(),
  dedupKeyOption(),
  ...insideOptions(),
  rootOption(),
  new Option('--max-attempts <n>', 'deliveries without a result before a message becomes a dead letter')
    .default(20)
    .argParser(whole(1)),
  new Option(
    '--set-aside <key>',
    'turn the message with this key, at which a consumer stops, into a dead letter; repeatable',
  )
    .default([], 'none')
    .argParser((key: string, earlier: readonly string[]) => [...earlier, key]),
  new Option(
    '--message-attempts <n>',
    'attempts for a message that fails on its own before it becomes a dead letter',
  )
    .default(3)
    .argParser(whole(1)),
  new Option(
    '--batch-attempts <n>',
    'attempts for a batch that the database asks to retry before the consumer stops (default: no limit)',
  ).argParser(whole(1)),
  new Option(
    '--retry-pause <seconds>',
    'longest pause after the first attempt for a message; doubles with each attempt',
  )
    .default(1)
    .argParser(positive),
  new Option('--batch-messages <n>', 'most messages in one transaction').default(2000).argParser(whole(1)),
  createOption(),
  startTimeoutOption(),
  allowRejectsOption(),
]

/** Converts flags into options of the library's consumer. */
export const consumeSettings = (flags: ConsumeFlags) => ({
  ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
  ignoreExtra: flags.ignoreExtra === true,
  dedupKey: flags.dedupKey,
  ...insideSettings(flags),
  root: flags.root,
  batch: { messages: flags.batchMessages },
  maxAttempts: flags.maxAttempts,
  setAside: flags.setAside,
  messageRetry: { attempts: flags.messageAttempts, firstMs: flags.retryPause * 1000 },
  ...(flags.batchAttempts === undefined ? {} : { batchRetry: { attempts: flags.batchAttempts } }),
})
