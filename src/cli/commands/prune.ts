import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Prunable } from '../../sink/ledger.ts'
import { spaceAdvice } from '../../sink/registry.ts'
import { withExamples } from '../settings/examples.ts'
import { jsonOption, pipelineOption, stateOption, toOption } from '../settings/options.ts'
import { withSink } from '../run/ledger.ts'
import { forgetPlans } from '../run/planned.ts'
import { stopSignal } from '../run/signals.ts'
import { counted, print, printJson } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'

interface Flags {
  readonly olderThan: number
  readonly what: readonly Prunable[]
  readonly to: string
  readonly pipeline?: string
  readonly state: string
  readonly open?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

function durationMs(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Not a time such as 90d, 12h, 30m, 45s or 8w.')
  return Number(amount) * unitMs[unit as keyof typeof unitMs]
}

/** What each entry is called, and what its removal weakens, for a person to know before it happens. */
const kinds: Readonly<Record<Prunable, { readonly one: string; readonly weakens: string | undefined }>> = {
  rejects: { one: 'settled reject', weakens: undefined },
  letters: { one: 'settled dead letter', weakens: undefined },
  messages: {
    one: 'message key',
    weakens: 'a message with such a key that arrives once more is loaded once more',
  },
  loads: { one: 'complete load', weakens: 'the file of such a load is loaded again if it is named again' },
}
const names = Object.keys(kinds) as Prunable[]

function kindsNamed(text: string): readonly Prunable[] {
  const wanted = text.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !(name in kinds))
  if (unknown !== undefined) throw new InvalidArgumentError(`Not one or several of ${names.join(', ')}.`)
  return names.filter((name) => wanted.includes(name))
}

export function pruneCommand(command: Command): Command {
  for (const option of [
    new Option('--older-than <time>', 'remove what is older, for example 90d, 12h or 8w')
      .argParser(durationMs)
      .makeOptionMandatory(),
    new Option(
      '--what <kinds>',
      'rejects, letters: what was replayed or discarded; messages: keys of external messages, which may then be loaded again; loads: complete loads, whose files may then be loaded again',
    )
      .argParser(kindsNamed)
      .default(['rejects', 'letters'], 'rejects,letters'),
    toOption(),
    pipelineOption(),
    stateOption(),
    new Option('--open', 'open rejects and dead letters too; they are discarded'),
    new Option('--dry-run', 'say what would be removed, and remove nothing'),
    jsonOption(),
  ])
    command.addOption(option)
  withExamples(command, [
    ['prune --older-than 90d --dry-run'],
    ['prune --older-than 90d', 'rejects and letters that were replayed or discarded'],
    ['prune --older-than 52w --what messages,loads', 'what recognises messages and files that come twice'],
  ])
  return command.action((flags: Flags) =>
    withSink(flags.to, undefined, async ({ ledger, place }) => {
      const { prune } = await import('../../review/prune.ts')
      const signal = stopSignal()
      const { olderThan: olderThanMs, what, pipeline, state, open, dryRun: isDry = false } = flags
      const onForgotten = (loads: readonly string[]) => forgetPlans({ state, place }, loads)
      const all = await prune(ledger, {
        what,
        olderThanMs,
        pipeline,
        open,
        isDry,
        signal,
        onForgotten,
        onEvent: reporter(),
      })
      if (flags.json) return printJson({ removed: !isDry, ...Object.fromEntries(all) })
      for (const [kind, { entries, bytes }] of all) {
        const { one, weakens } = kinds[kind]
        const removed = isDry ? 'would be removed' : 'removed'
        print(
          `${counted(entries, one)} ${removed} (${counted(bytes, 'byte')})${entries > 0 && weakens !== undefined ? `: ${weakens}` : ''}`,
        )
      }
      // v8 ignore next -- a stop in the few moments that it takes
      if (signal.aborted) print('stopped before the end; the same command goes on')
      const isAny = [...all.values()].some(({ entries }) => entries > 0)
      const advice = isDry || !isAny ? undefined : spaceAdvice(flags.to)
      if (advice !== undefined) print(advice)
    }),
  )
}
