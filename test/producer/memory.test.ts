import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Fixture } from '../support/fixture.ts'

const peakMemory = fileURLToPath(new URL('../support/peak-memory.mjs', import.meta.url))

const note = '"a note, quoted"'.padEnd(87, ' ')
const object = `{"id":17,"note":${note}}`

it.each([
  ['csv', 'id,note\n', `17,${note}\n`, ''],
  ['json', `[${object}`, `,\n${object}`, ']'],
])(
  'a %s file of 200 MB is planned and published in less memory than 200 MiB, of which Node itself is the half',
  async (suffix, head, record, end) => {
    await using fixture = await Fixture.open()
    const path = join(fixture.folder, `large.${suffix}`)
    const block = Buffer.from(record.repeat(10_000))
    await using file = await open(path, 'w')
    await file.write(head)
    const blocks = Math.ceil(200_000_000 / block.length)
    for (let n = 0; n < blocks; n++) await file.write(block)
    await file.write(end)
    const script = fileURLToPath(new URL('./large.ts', import.meta.url))
    const saying = ['--no-warnings', `--import=${peakMemory}`]
    const args = [...saying, script, path, fixture.folder]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    const { records, published } = JSON.parse(stdout) as { records: number; published: number }
    const peak = Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024
    expect(records).toBe(blocks * 10_000 + (suffix === 'json' ? 1 : 0))
    expect(published).toBeGreaterThan(160)
    expect(peak).toBeLessThan(200)
  },
)
