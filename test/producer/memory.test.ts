import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Workshop } from '../support/workshop.ts'

it('a file of 300 MB is planned and published in less memory than 200 MiB, of which Node itself is the half', async () => {
  await using workshop = await Workshop.open()
  const path = join(workshop.folder, 'large.csv')
  const block = Buffer.from(`17,${'"a note, quoted"'.padEnd(87, ' ')}\n`.repeat(10_000))
  await using file = await open(path, 'w')
  await file.write('id,note\n')
  const blocks = Math.ceil(300_000_000 / block.length)
  for (let n = 0; n < blocks; n++) await file.write(block)
  const script = fileURLToPath(new URL('./large.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    script,
    path,
    workshop.folder,
  ])
  const { records, published, peak } = JSON.parse(stdout) as {
    records: number
    published: number
    peak: number
  }
  expect(records).toBe(blocks * 10_000)
  expect(published).toBeGreaterThan(250)
  expect(peak).toBeLessThan(200)
})
