import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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
