import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sha256Of } from '../../src/core/sha256.ts'
import { RootedFiles } from '../../src/source/file/rooted.ts'

const bytes = 300_000
const chunks = ['a', 'b', 'c'].map((letter) => Buffer.alloc(bytes, letter))
let root: string
let files: RootedFiles

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rooted-'))
  await writeFile(join(root, 'file'), Buffer.concat(chunks))
  files = await RootedFiles.open(root)
})

afterAll(async () => {
  await files.close()
  await rm(root, { recursive: true })
})

async function read(chunk: number): Promise<Buffer> {
  const sha256 = sha256Of(chunks[chunk] as Buffer)
  return (await files.read({ path: 'file', byteStart: chunk * bytes, bytes, sha256 })) as Buffer
}

it('the memory of bytes that are in use is never read into', async () => {
  const [first, second] = [await read(0), await read(1)]
  expect(first.buffer === second.buffer).toBe(false)
  expect(first.equals(chunks[0] as Buffer)).toBe(true)
  files.give(first)
  const third = await read(2)
  expect(third.buffer === first.buffer).toBe(true)
  expect(third.equals(chunks[2] as Buffer)).toBe(true)
  // Given back twice, it is still lent once.
  files.give(second)
  files.give(second)
  const [fourth, fifth] = [await read(0), await read(1)]
  expect(fourth.buffer === second.buffer).toBe(true)
  expect(fourth.equals(chunks[0] as Buffer)).toBe(true)
  expect(fifth.buffer === fourth.buffer).toBe(false)
})

it('between messages no memory is kept', async () => {
  const body = await read(0)
  const { buffer } = body
  files.give(body)
  await files.close()
  expect(buffer.byteLength).toBe(0)
})

const range = { byteStart: 0, bytes: 4096, sha256: '0'.repeat(64) }

it('a device, a folder and what ends before it says have no bytes', async () => {
  await mkdir(join(root, 'folder'))
  await symlink('/dev/null', join(root, 'device'))
  const anywhere = await RootedFiles.open('/', true)
  expect(await files.read({ ...range, path: 'folder' })).toMatchObject({ code: 'REFERENCE_REFUSED' })
  expect(await anywhere.read({ ...range, path: '/dev/null' })).toMatchObject({ code: 'REFERENCE_REFUSED' })
  expect(await anywhere.read({ ...range, path: join(root, 'gone') })).toMatchObject({
    code: 'REFERENCE_UNREADABLE',
  })
  await anywhere.close()
})

it('a file that is shorter than the system says has changed', async (context) => {
  const path = '/sys/kernel/mm/transparent_hugepage/enabled'
  if (!existsSync(path)) return context.skip(`there is no ${path} here`)
  const anywhere = await RootedFiles.open('/', true)
  expect(await anywhere.read({ ...range, path })).toMatchObject({
    code: 'CHECKSUM',
    detail: expect.stringMatching(/ends at byte \d+, the chunk at 4096$/),
  })
  await anywhere.close()
})

it('a file that cannot be opened now, and may be later, holds its message up', () => {
  const script = `
    const { closeSync, openSync } = await import('node:fs')
    const { RootedFiles } = await import(process.argv[1])
    const files = await RootedFiles.open(process.argv[2])
    const all = []
    try { for (;;) all.push(openSync('/dev/null')) } catch {}
    const error = await files.read(${JSON.stringify({ ...range, path: 'file' })}).catch((thrown) => thrown)
    all.forEach(closeSync)
    console.log(error.code + ' ' + error.message)`
  const rooted = new URL('../../src/source/file/rooted.ts', import.meta.url).href
  const limited = [
    '-c',
    'ulimit -n 100 && exec "$0" --input-type=module --eval "$@"',
    process.execPath,
    script,
    rooted,
    root,
  ]
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8' })
  expect([stdout, stderr]).toEqual([
    expect.stringMatching(/^REFERENCE_HOLD "file" cannot be read: EMFILE/),
    '',
  ])
})

it('of a root that is gone, or is a file by now, nothing is known, and its messages wait', async () => {
  const other = await mkdtemp(join(tmpdir(), 'rooted-'))
  const below = await RootedFiles.open(other)
  await rm(other, { recursive: true })
  const reading = () => below.read({ ...range, path: 'file' })
  await expect(reading()).rejects.toMatchObject({ code: 'REFERENCE_HOLD' })
  await writeFile(other, '')
  await expect(reading()).rejects.toMatchObject({
    code: 'REFERENCE_HOLD',
    message: expect.stringContaining('no folder any more'),
  })
  await rm(other)
})
