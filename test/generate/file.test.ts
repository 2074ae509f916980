import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeWhole } from '../../src/generate/file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-generate-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('a file that cannot be written is told by its name, and one that was begun leaves nothing', async () => {
  await writeFile(join(folder, 'file'), '')
  for (const path of ['none/x', 'file/x']) {
    const made = writeWhole(join(folder, path), async () => undefined)
    await expect(made).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining(`cannot write ${join(folder, path)}: `),
    })
  }
  const broken = writeWhole(join(folder, 'x'), async () => {
    throw new Error('no more')
  })
  await expect(broken).rejects.toThrow('no more')
  expect(await readdir(folder)).toEqual(['file'])
})
