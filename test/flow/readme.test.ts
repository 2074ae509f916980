/**
 * The code that the README shows runs as it stands there, and with every other queue and sink in its place.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { Folder } from '../cli/run.ts'

const root = join(import.meta.dirname, '../..')
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].map(
  ([, code]) => code as string,
)
const [orders = '', library = '', unitTest = ''] = blocks

const csv = `id,Customer Name,total,placed_at,note
1,Ada,1.50,2024-06-01 08:30:00,n/a
2,Bob,much,2024-06-01 08:30:00,
3,Cyd,3.25,2024-06-01 09:30:00,later
`

/** Runs the code with the package's own name for our sources, and returns what it prints. */
async function run(
  code: string,
  urls: { readonly queue?: string; readonly sink?: string } = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-readme-'))
  try {
    const ours = (source: string) => source.replaceAll("from 'lading'", `from '${root}/src/index.ts'`)
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(join(folder, 'orders.ts'), ours(orders))
    await writeFile(join(folder, 'orders.csv'), csv)
    const elsewhere = ours(code)
      .replace(/'embedded:[^']+'/, (url) => (urls.queue === undefined ? url : JSON.stringify(urls.queue)))
      .replace(/'sqlite:[^']+'/, (url) => (urls.sink === undefined ? url : JSON.stringify(urls.sink)))
    await writeFile(join(folder, 'main.ts'), elsewhere)
    const child = spawn(process.execPath, ['main.ts'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(err).toBe('')
    return out
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const counts = '{ loaded: 1, duplicates: 1, deadMessages: 1 } BAD_NUMBER'

it('the README shows a model, the library, and a unit test', () => {
  expect(orders).toContain('export default defineModel(')
  expect(library).toContain('produce({')
  expect(unitTest).toContain(`// ${counts}\n`)
})

it('the README shows a file that others made, loaded by one command', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, file = '', command = '', told = ''] =
    /^    \$ cat statement\.csv\n([^]*?)\n    \$ npx lading (.+)\n([^]*?)\n\n(?! )/m.exec(readme) ?? []
  await using folder = await Folder.make({ 'statement.csv': file.replace(/^ {4}/gm, '') })
  const done = await folder.run(command.split(' '))
  expect(done.code, done.err).toBe(0)
  const lines = told.split('\n').map((line) => line.trim())
  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines) if (line !== '…') expect(`${done.err}${done.out}`).toContain(line)
})

describe.concurrent('the code of the README', () => {
  it('loads a file', async () => expect(await run(library)).toBe('2 1\n'))
  it('is a unit test without a server', async () => expect(await run(unitTest)).toBe(`${counts}\n`))
})

describe('SQS', () => {
  const { freshSqsUrl } = useSqs()

  it('takes the place of the embedded queue', async () => {
    expect(await run(library, { queue: await freshSqsUrl() })).toBe('2 1\n')
    expect(await run(unitTest, { queue: await freshSqsUrl() })).toBe(`${counts}\n`)
  })
})

describePostgres('PostgreSQL', () => {
  it('takes the place of SQLite', async () => {
    await using database = await freshDatabase()
    expect(await run(library, { sink: database.url })).toBe('2 1\n')
    expect(await run(unitTest, { sink: database.url })).toBe(`${counts}\n`)
  })

  describeRabbit('RabbitMQ', () => {
    it('takes the place of the embedded queue, and both together', async () => {
      await using database = await freshDatabase()
      expect(await run(library, { queue: freshQueueUrl() })).toBe('2 1\n')
      expect(await run(unitTest, { queue: freshQueueUrl(), sink: database.url })).toBe(`${counts}\n`)
    })
  })
})
