import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { expectError, Folder, header, record, records } from './run.ts'

const config = (pipelines: object) => ({ 'lading.config.json': JSON.stringify({ pipelines }) })

describe.concurrent('lading run', () => {
  it('runs one in this process; flags after its name go before its own, and paths before its paths', async () => {
    const pipelines = { one: { paths: 'a.csv', to: 'sqlite:one.db', model: 'records' } }
    await using folder = await Folder.make({ ...config(pipelines), 'a.csv': records(3), 'b.csv': records(1) })
    const dry = await folder.lading('run', 'one', '--dry-run')
    expect(dry.out, dry.err).toContain('nothing was written: 3 records')
    const one = await folder.lading('run', 'one', '--json', '--quiet')
    expect(one).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(one.out)).toMatchObject({ loadedNow: 3 })
    const other = await folder.lading('run', 'one', '--to', 'sqlite:two.db', 'b.csv')
    expect(other.err).toContain('published b.csv')
    expect([folder.rows('records', 'one.db'), folder.rows('records', 'two.db')]).toEqual([3, 1])
  })

  it('lists what there is, and proposes what was meant', async () => {
    const pipelines = { orders: { paths: ['in/*.csv'] }, eat: { command: 'consume', to: '${DB}' } }
    await using folder = await Folder.make(config(pipelines))
    const { code, out } = await folder.lading('run')
    expect({ code, out: out.replaceAll(/ +/g, ' ') }).toEqual({
      code: 0,
      out: 'pipeline command queue to\norders load in/*.csv\neat consume ${DB}\n',
    })
    expect(JSON.parse((await folder.lading('run', '--json')).out)).toMatchObject([
      { name: 'orders', command: 'load', paths: ['in/*.csv'] },
      { name: 'eat', command: 'consume', to: '${DB}' },
    ])
    await using bare = await Folder.make(config({}))
    expect((await bare.lading('run')).out).toMatch(/^lading\.config\.json has no pipelines$/m)
    expectError(await folder.lading('run', 'orders', 'eet'), 'USAGE', 64, 'did you mean eat?')
    expectError(await folder.lading('run', '--dry-run'), 'USAGE', 64, 'orders, eat')
    expectError(await folder.lading('run', 'orders', 'eat', '--json'), 'USAGE', 64, '--json')
    await using empty = await Folder.make()
    expectError(await empty.lading('run'), 'USAGE', 64, 'lading.config.ts')
  })

  it('runs several side by side: each line has the name before it, and the exit code is the worst', async () => {
    const pipelines = {
      good: { paths: 'a.csv', to: 'sqlite:good.db' },
      bad: { paths: 'b.csv', to: 'sqlite:bad.db' },
      gone: { paths: 'none.csv', to: 'sqlite:gone.db' },
    }
    const files = { 'a.csv': records(2), 'b.csv': header + record(1) + record(2, 'x') }
    await using folder = await Folder.make({ ...config(pipelines), ...files })
    const run = await folder.lading('run', 'good', 'bad')
    expect(run.code, run.err).toBe(3)
    expect(run.out).toMatch(/^good \| .* a\.csv +2 +2 +0/m)
    expect(run.out).toMatch(/^bad {2}\| .* b\.csv +2 +1 +1/m)
    expect(run.out.split('\n').filter((line) => !/^(good|bad ) \| |^$/.test(line))).toEqual([])
    expect(run.err).toMatch(/^settings from lading\.config\.json$/m)
    expect(run.err.match(/settings from/g)).toHaveLength(1)
    const all = await folder.lading('run', '--all', '--log-format', 'json')
    expect(all.code).toBe(66)
    const lines = all.err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { run?: string; code?: unknown })
    expect(lines).toContainEqual(
      expect.objectContaining({ run: 'gone', level: 'error', code: 'SOURCE_MISSING' }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ run: 'gone', type: 'pipeline', code: 66 }))
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s to all of them', async (signal) => {
    await using folder = await Folder.make(config(consumers))
    const { run, out, closed } = await consuming(folder)
    run.kill(signal)
    expect((await closed)[0]).toBe(0)
    expect((await out).match(/^[ab] \| this run loaded 1 record/gm)).toHaveLength(2)
  })

  it('leaves none of them behind when it is killed', async () => {
    await using folder = await Folder.make(config(consumers))
    const { run, closed } = await consuming(folder)
    const left = () => spawnSync('pgrep', ['-f', folder.path], { encoding: 'utf8' }).stdout
    expect(left().trim().split('\n')).toHaveLength(3)
    run.kill('SIGKILL')
    await closed
    await vi.waitFor(() => expect(left()).toBe(''), { timeout: 30_000 })
  })
})

const consumers = Object.fromEntries(
  ['a', 'b'].map((name) => [
    name,
    { command: 'consume', queue: `embedded:${name}.q`, to: `sqlite:${name}.db`, model: 'records' },
  ]),
)

/** Both pipelines at work: each has loaded the one record of its queue. */
async function consuming(folder: Folder) {
  for (const name of Object.keys(consumers)) {
    await using queue = await openQueue(`embedded:${folder.at(`${name}.q`)}`)
    const body = JSON.stringify({ record_time: '2021-01-01T00:00:00Z', sensor_id: name, value: 1 })
    await queue.publish([{ key: name, body: Buffer.from(body), headers: {} }])
  }
  const run = folder.start(['--config', folder.at('lading.config.json'), 'run', 'a', 'b'])
  const [out, closed] = [text(run.stdout), once(run, 'close')]
  const rows = () => {
    try {
      return folder.rows('records', 'a.db') + folder.rows('records', 'b.db')
    } catch {
      // The file is not there yet, or is being made.
      return 0
    }
  }
  await vi.waitFor(() => expect(rows()).toBe(2), { timeout: 30_000 })
  return { run, out, closed }
}
