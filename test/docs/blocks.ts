/**
 * The code blocks of a page, and what is to be done with each. The info string behind ``` says it:
 *
 *     sh                      lines `$ command` with what they print below them, or a script, which must succeed
 *     sh until stopped        one command that ends with SIGINT, once it has printed what stands below it
 *     sh not run: REASON      only its syntax is checked
 *     ts                      its first line `// name.ts` names a file, which commands then use; without a name it is run
 *     sql                     statements for the page's first database, as its superuser
 *     json, yaml, ini, cron   parsed; an ini block is a systemd unit, its first line `# name.service`
 *     text                    what a screen shows
 *
 * A block indented by four spaces is one of `sh`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../structure/sources.ts'

export interface Block {
  readonly language: string
  /** Why it is not run. */
  readonly notRun?: string
  readonly untilStopped: boolean
  readonly code: string
  /** Of the page, from 1. */
  readonly line: number
}

export interface Step {
  readonly command: string
  /** Absent of a script, which only has to succeed. */
  readonly expected?: readonly string[]
}

export function blocksOf(path: string): readonly Block[] {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^( *)```(.*)$/.exec(lines[at] ?? '')
    const from = at + 1
    if (fence !== null) {
      while (++at < lines.length && lines[at]?.trim() !== '```');
      const indent = fence[1]?.length ?? 0
      blocks.push(
        block(
          fence[2] ?? '',
          lines.slice(from, at).map((line) => line.slice(indent)),
          from,
        ),
      )
    } else if (beginsIndented(lines, at)) {
      while (at + 1 < lines.length && /^( {4}|$)/.test(lines[at + 1] ?? '')) at++
      blocks.push(
        block(
          'sh',
          lines.slice(from - 1, at + 1).map((line) => line.slice(4)),
          from,
        ),
      )
    }
  }
  return blocks
}

/** Within a list, four spaces go on with an item. */
function beginsIndented(lines: readonly string[], at: number): boolean {
  if (!/^ {4}\S/.test(lines[at] ?? '') || lines[at - 1] !== '') return false
  return !/^( {0,3}([-*]|\d+\.) |  )/.test(lines.slice(0, at).findLast((line) => line !== '') ?? '')
}

function block(info: string, lines: readonly string[], line: number): Block {
  const notRun = /\bnot run: (.+)$/.exec(info)?.[1]
  return {
    language: info.split(' ')[0] ?? '',
    ...(notRun !== undefined && { notRun }),
    untilStopped: info.includes('until stopped'),
    code: `${lines.join('\n').trimEnd()}\n`,
    line,
  }
}

/** The commands of a shell block. */
export function stepsOf({ code }: Block): readonly Step[] {
  if (!/^\$ /m.test(code)) return [{ command: code }]
  const steps: { command: string; expected: string[] }[] = []
  const lines = code.trimEnd().split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (!line.startsWith('$ ')) {
      steps.at(-1)?.expected.push(line)
      continue
    }
    let command = line.slice(2)
    const end = /<<-?'?(\w+)'?/.exec(line)?.[1]
    const goesOn = () => (end === undefined ? command.endsWith('\\') : lines[at] !== end)
    while (goesOn() && at + 1 < lines.length) command += `\n${lines[++at]}`
    steps.push({ command, expected: [] })
  }
  return steps
}

/** The name on the first line of a block of a file. */
export const fileNameOf = ({ code }: Block): string | undefined => /^(?:\/\/|#) (\S+\.\w+)\n/.exec(code)?.[1]
