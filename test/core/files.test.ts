import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Code, codes, type LadingError } from '../../src/core/errors.ts'
import { fileTrouble } from '../../src/core/files.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { ProducerState } from '../../src/producer/state.ts'
import { spool } from '../../src/source/stdin/spool.ts'
import { queueError } from '../../src/queue/embedded/errors.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { sinkError } from '../../src/sink/sqlite/errors.ts'
import { openSink } from '../../src/sink/registry.ts'
import { withoutRights } from '../queue/system.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-paths-'))
  writeFileSync(join(folder, 'file'), 'no folder')
  mkdirSync(join(folder, 'folder'))
  mkdirSync(join(folder, 'closed'), { mode: 0 })
  symlinkSync('loop', join(folder, 'loop'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const impossible: readonly (readonly [what: string, path: string])[] = [
  ['below a regular file', 'file/x/y.db'],
  ['a folder', 'folder'],
  ['below a link that leads to itself', 'loop/x.db'],
  ['too long a name', `${'x'.repeat(300)}.db`],
  // The kernel's own file system takes files from nobody; Node's recursive mkdir never returns there.
  ...(existsSync('/proc/self') ? ([['a file in a folder that takes none', '/proc/lading.db']] as const) : []),
  ...(existsSync('/proc/self')
    ? ([['below a folder that cannot be made', '/proc/lading/x.db']] as const)
    : []),
]

type Open = (path: string) => Promise<unknown>
const uses: readonly (readonly [what: string, code: Code, open: Open])[] = [
  ['the embedded queue', 'QUEUE_REFUSED', (path) => openQueue(`embedded:${path}`)],
  ['the SQLite sink', 'SINK_REFUSED', async (path) => (await openSink(`sqlite:${path}`)).prepare()],
  ["the producer's state", 'OUTPUT_UNWRITABLE', async (path) => new ProducerState(path, 'queue')],
]

const errorOf = async (open: Open, path: string): Promise<LadingError> =>
  open(path.startsWith('/') ? path : join(folder, path)).then(
    () => expect.unreachable('it was opened'),
    (error: LadingError) => error,
  )

describe.each(uses)(
  '%s in a path that cannot exist is refused at once, and not waited for',
  (_, code, open) => {
    it.each(impossible)('%s', async (_what, path) => {
      const error = await errorOf(open, path)
      expect([error.code, codes[error.code].action], error.message).toEqual([code, 'halt'])
      // Why, in the words of the file system and not of SQLite.
      expect(error.message).toMatch(/\bE[A-Z]{4,}\b/)
    })

    it('a folder without rights', async () => {
      await withoutRights(async () => {
        const error = await errorOf(open, 'closed/x.db')
        expect([error.code, codes[error.code].action]).toEqual([code, 'halt'])
        expect(error.message).toContain('EACCES')
      })
    })
  },
)

it('standard input that cannot be kept is refused in one line', async () => {
  async function* input() {
    yield Buffer.from('a\n')
  }
  await expect(spool(join(folder, 'file/state.db'), { stdin: input() })).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
  })
})

it.each(['ho..st', `${'x'.repeat(64)}.example`, '%00'])(
  'a host that no name can be is refused at once: %s',
  async (host) => {
    await expect(async () => openSink(`postgresql://me@${host}/db`)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(openQueue(`amqp://me@${host}/?queue=x`)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(openQueue(`https://${host}/123456789012/x`)).rejects.toMatchObject({ code: 'USAGE' })
  },
)

it('a socket of PostgreSQL below a regular file is refused at once', async () => {
  await using sink = await openSink(
    `postgresql://me@localhost/db?host=${encodeURIComponent(join(folder, 'file/x'))}`,
  )
  await expect(sink.prepare()).rejects.toMatchObject({
    code: 'SINK_REFUSED',
    message: expect.stringContaining('ENOTDIR'),
  })
})

it('what passes by itself is still waited for', () => {
  const trouble = (code: string) => fileTrouble(Object.assign(new Error(code), { code, syscall: 'open' }))
  expect(['EMFILE', 'EIO', 'EBUSY', 'ESTALE'].map(trouble)).toEqual(
    Array.from({ length: 4 }, () => 'passing'),
  )
  expect(['ENOSPC', 'EDQUOT'].map(trouble)).toEqual(['full', 'full'])
})

it('an error of a statement is never called damage of the file', () => {
  using file = new SqliteFile(':memory:')
  let thrown: unknown
  try {
    file.all('SELECT ?', 1, 2)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({ errcode: 25 })
  expect([queueError(thrown, 'q').code, sinkError(thrown, 's').code]).toEqual(['INTERNAL', 'INTERNAL'])
})
