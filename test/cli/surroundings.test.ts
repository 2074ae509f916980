/** What others on the machine see of a process, and what its environment makes it do. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { spool } from '../../src/source/stdin/spool.ts'
import { bin } from '../support/lading.ts'
import { Folder, records } from './run.ts'

const secret = 'CANARY-pw'

it.skipIf(process.platform !== 'linux')(
  'the list of processes shows no password of the command line, and none of its consumers',
  async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    // Nothing answers there, so that it waits until it is ended.
    const url = `postgresql://me:${secret}@127.0.0.1:1/db?sslpassword=${secret}`
    const child = folder.start(['load', 'a.csv', '--to', url, '--queue', `nats://me:${secret}@127.0.0.1:1/`])
    try {
      const shown = async () =>
        (await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
      await expect
        .poll(shown, { timeout: 20_000 })
        .toBe(
          'lading load a.csv --to postgresql://127.0.0.1:1/db?sslpassword=*** --queue nats://127.0.0.1:1/',
        )
    } finally {
      child.kill('SIGKILL')
    }
  },
)

it.skipIf(process.platform === 'win32')('what a run keeps of the data, others cannot read', async () => {
  await using folder = await Folder.make()
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
  const input = async function* () {
    yield Buffer.from(records(1))
  }
  await using copy = await spool(folder.at('kept/state.db'), { stdin: input() })
  expect([await mode(copy.source.location), await mode(folder.at('kept/spool'))]).toEqual(['600', '700'])
  // Not even where the user lets others read new files.
  const before = process.umask(0)
  const child = folder.start(['produce', '-'])
  process.umask(before)
  child.stdin.end(records(1))
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
  const files = await readdir(folder.at('.lading'), { withFileTypes: true })
  const open = []
  for (const file of files)
    if (file.isFile()) open.push([file.name, await mode(folder.at(`.lading/${file.name}`))])
  expect(open.filter(([name]) => name?.includes('.db')).length).toBeGreaterThan(1)
  expect(open.filter(([name, rights]) => name !== 'last.json' && rights !== '600')).toEqual([])
})

it.skipIf(!existsSync('/dev/full'))(
  'output that cannot be written ends a command with an error',
  async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await folder.lading('load', 'a.csv')
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', '"$0" "$1" verify > /dev/full', process.execPath, bin],
      {
        cwd: folder.path,
        encoding: 'utf8',
      },
    )
    expect([status, stderr]).toEqual([
      73,
      expect.stringMatching(/^error OUTPUT_UNWRITABLE: standard output: ENOSPC/),
    ])
  },
)

it('a state in which arrivals cannot be noted costs nothing but a warning', async () => {
  await using folder = await Folder.make({ 'a.csv': records(2), 'state/x': '' })
  await folder.lading('produce', 'a.csv')
  const run = await folder.lading('consume', '--until-empty', '--state', './state')
  expect(run.code, run.err).toBe(0)
  expect(run.err).toContain('cannot record which loads arrived')
  expect(folder.rows()).toBe(2)
})
