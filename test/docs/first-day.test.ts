/** A person's first day: the README in a clone, with nothing else at hand, as the shell of that clone runs it. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describePostgres } from '../../tooling/servers/database.ts'
import { root } from '../structure/sources.ts'
import { blocksOf, stepsOf } from './blocks.ts'
import { Places } from './places.ts'
import { runPage } from './run-page.ts'

const blocks = blocksOf('README.md')
const shell = blocks.filter(({ language, notRun }) => language === 'sh' && notRun === undefined)
const commands = shell.flatMap((block) => stepsOf(block).map(({ command }) => command))

describe('the first day', () => {
  it('takes at most twelve commands', () => {
    const lines = commands.flatMap((command) => command.trimEnd().split('\n'))
    expect(lines.length).toBeLessThanOrEqual(12)
  })

  it('has a file of one’s own, a reject mended, a second run, the page and the test of a model', () => {
    const all = commands.join('\n')
    const steps = [
      / > orders\.csv/,
      /load orders\.csv/,
      /rejects edit .*rejects replay/,
      /load orders\.csv[^]*load orders\.csv/,
      /lading ui /,
      /node --test/,
    ]
    expect(steps.filter((step) => !step.test(all))).toEqual([])
  })
})

describePostgres('PostgreSQL', () => {
  it.runIf(existsSync(join(root, '.git')))(
    'a clone does what the README says, by its own npx',
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lading-clone-'))
      try {
        const clone = join(folder, 'lading')
        const { status, stderr } = spawnSync(
          'git',
          ['clone', '--quiet', '--depth', '1', `file://${root}`, clone],
          { encoding: 'utf8' },
        )
        expect(status, stderr).toBe(0)
        // What `npm ci` would bring and build.
        symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
        cpSync(join(root, 'dist'), join(clone, 'dist'), { recursive: true })
        await using places = await Places.of(blocks.map(({ code }) => code).join('\n'))
        const failures = await runPage(blocks, places, clone)
        expect(
          failures.map(({ command, why, printed }) => `$ ${command}\n${why}\n${printed}`).join('\n\n'),
        ).toBe('')
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})
