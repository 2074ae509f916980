/** Loads of a file that grows are killed with SIGKILL at random moments, and repeated, while it goes on growing. */
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Fixture } from '../support/fixture.ts'
import { startLading } from '../support/lading.ts'
import { randomFrom } from '../support/restarted-process.ts'

const model = join(import.meta.dirname, '../support/model.ts')

/** Until a part is planned, or nothing is to do. */
const planned = (run: ReturnType<typeof startLading>): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (/planned|skipped/.test(run.output())) resolve()
    }
    run.child.stdout?.on('data', look)
    run.child.stderr?.on('data', look)
  })

async function killedAppends(fixture: Fixture, kills: number): Promise<void> {
  const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  const log = join(fixture.folder, 'log.csv')
  let last = 0
  const more = Array.from({ length: 50_000 }, (_, n) => `${n + 1},"note\nof ${n + 1}"\n`)
  const grow = async (count: number) => {
    const text = more.slice(last, last + count).join('')
    last += count
    // What is written at once ends anywhere.
    const cut = Math.floor(random() * text.length)
    await appendFile(log, text.slice(0, cut))
    return () => appendFile(log, text.slice(cut))
  }
  const { target, folder, queueUrl } = fixture
  const places = [
    '--to',
    target.url,
    '--queue',
    `${queueUrl}?lease=1`,
    '--state',
    join(folder, 'producer.db'),
  ]
  const sizes = ['--consumers', '1', '--chunk-bytes', '4000', '--start-timeout', '120']
  const start = () =>
    startLading('load', log, '--append', '--model', model, ...places, ...sizes, '--log-level', 'debug')
  await appendFile(log, 'id,note\n')
  let ended = 0
  for (let killed = 0; killed < kills;) {
    const rest = await grow(1 + Math.floor(random() * 2000))
    const run = start()
    await Promise.race([planned(run), run.ended])
    const timer = setTimeout(() => run.child.kill('SIGKILL'), random() * 250)
    await rest()
    const code = await run.ended
    clearTimeout(timer)
    if (code === null) killed++
    else expect(code, run.output()).toBe(0)
    ended += code === null ? 0 : 1
    expect(last).toBeLessThan(more.length)
  }
  for (let n = 0; n < 2; n++) {
    const run = start()
    expect(await run.ended, run.output()).toBe(0)
  }
  const ids = await fixture.target.ids()
  const report = JSON.stringify({ seed, kills, ended, records: last })
  console.log(`kills: ${report}`)
  expect(ids.length, report).toBe(last)
  expect(new Set(ids).size, report).toBe(last)
  await using sink = await fixture.sink()
  const receipts = await sink.ledger.receipts({})
  expect(
    receipts.reduce((sum, { records }) => sum + records, 0),
    report,
  ).toBe(last)
  expect(receipts.filter(({ records, loaded }) => loaded !== records)).toEqual([])
}

it(
  'however often it is killed, nothing of a file that grows is lost or doubled in SQLite',
  { timeout: 240_000 },
  async () => {
    await using fixture = await Fixture.open()
    await killedAppends(fixture, 6)
  },
)

describePostgres('PostgreSQL', () => {
  it(
    'however often it is killed, nothing of a file that grows is lost or doubled',
    { timeout: 240_000 },
    async () => {
      await using fixture = await Fixture.open('postgres')
      await killedAppends(fixture, 6)
    },
  )
})
