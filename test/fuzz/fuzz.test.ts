import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../../fuzz/main.ts', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-fuzz-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function fuzz(...options: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const running = promisify(execFile)(process.execPath, [main, '--out', folder, ...options])
  return await running.then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, out: error.stdout }),
  )
}

it('readers, envelopes, decoders and inference keep their rules for inputs that coverage leads to', async () => {
  const seed = process.env['LADING_SEED'] ?? '1'
  const { code, out } = await fuzz('--minutes', '5', '--inputs', '400', '--seed', seed)
  // With the seed, and the command that tries the input again.
  console.log(out)
  expect(code, out).toBe(0)
  for (const target of ['csv', 'json', 'envelope', 'types', 'infer'])
    expect(Number(new RegExp(`^${target}: (\\d+) inputs`, 'm').exec(out)?.[1])).toBeGreaterThan(10)
})

it('a fault that only new branches lead to is found, made short and found again in its file', async () => {
  const { code, out } = await fuzz('--target', 'planted', '--minutes', '2')
  expect(code, out).toBe(1)
  const [file] = (await readdir(folder)).filter((name) => name.startsWith('planted'))
  const again = await fuzz('--replay', join(folder, String(file)))
  expect(again).toMatchObject({ code: 1, out: expect.stringContaining('the fault is reached') })
  expect(out).toMatch(/"\\u0000FUZ"/)
})

it('an input on which the program does not end is found', async () => {
  const { code, out } = await fuzz('--target', 'endless', '--minutes', '2')
  expect(code, out).toBe(1)
  expect(out).toContain('it goes on after')
})
