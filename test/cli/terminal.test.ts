/**
 * What a person sees at a terminal: a real one, which `script` of util-linux makes, with the columns that
 * `stty` gives it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Folder, header, record, records, library } from './run.ts'
import { Screen } from './screen.ts'
import { bin } from '../support/lading.ts'

const isThere = spawnSync('script', ['-qfec', 'stty size', '/dev/null']).status === 0
const describeTerminal = isThere ? describe : describe.skip

/** Takes its time for each record, so that there is something to see. */
const slow = `
import { defineModel } from '${library}'
import { text } from '${library}'
const pause = (value: string) => (Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20), value)
export default defineModel({ table: 'records', columns: { record_time: text(), sensor_id: text(), value: text().transform(pause) } })`

interface Sight {
  readonly code: number | null
  /** As it was written, codes and all. */
  readonly written: string
  readonly screen: Screen
}

interface Sitting {
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
  /** Told all that was written so far; what it returns is typed. */
  readonly type?: (written: string) => string | undefined
}

/** Runs the command at a terminal and watches it to its end. */
async function atTerminal(
  folder: Folder,
  args: readonly string[],
  { columns = 80, env = {}, type }: Sitting = {},
): Promise<Sight> {
  const quoted = [process.execPath, bin, ...args]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(' ')
  // What runs the tests of others may take the colours of a terminal.
  const variables = {
    ...process.env,
    TERM: 'xterm-256color',
    CI: undefined,
    FORCE_COLOR: undefined,
    NO_COLOR: undefined,
    ...env,
  }
  const command = `stty cols ${columns} rows 24 -echo; exec ${quoted}`
  const child = spawn('script', ['-qfec', command, '/dev/null'], { cwd: folder.path, env: variables })
  const screen = new Screen(columns)
  let written = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text
    screen.write(text)
    const typed = type?.(written)
    if (typed !== undefined) child.stdin.write(typed)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, written, screen }
}

/** Typed once, when the condition holds. */
function typedWhen(typed: string, when: (written: string) => boolean) {
  let isDone = false
  return (written: string) => {
    if (isDone || !when(written)) return undefined
    isDone = true
    return typed
  }
}

// oxlint-disable-next-line no-control-regex
const colour = /\u001b\[[\d;]+m/
const hidesCursor = '\u001b[?25l'
const slowly = ['--model', './slow.ts', '--chunk-bytes', '60', '--batch-messages', '1'] as const
const consumers = ['--consumers', '2', ...slowly] as const
const make = () =>
  Folder.make({
    'slow.ts': slow,
    'in/a.csv': records(40),
    'in/b.csv': records(20),
    'in/bad.csv': `${header}${record(1)}x\n`,
  })

describeTerminal(`at a terminal${isThere ? '' : ' (SKIPPED: no script of util-linux)'}`, () => {
  it.each([80, 200])(
    'of %d columns a load has bars that end when all is done, nothing of them wraps, and lines of the log stay whole above them',
    async (columns) => {
      await using folder = await make()
      expect(
        (await folder.lading('load', 'in/b.csv', '--model', './slow.ts', '--chunk-bytes', '60')).code,
      ).toBe(0)
      const { code, written, screen } = await atTerminal(folder, ['load', 'in', ...consumers], { columns })
      expect(code, written).toBe(3)
      expect(written).toMatch(/ [1-9]\d? %/)
      const lines = screen.text
      expect(lines.filter((line) => line.includes('100 %'))).toHaveLength(4)
      expect(lines.find((line) => line.startsWith('3 of 3 files'))).toContain('1 rejected')
      // A line of the log that is wider than the terminal goes on in the next one.
      expect(lines.slice(0, columns < 120 ? 2 : 1).join('')).toMatch(
        /^skipped b\.csv: the same name and content is loaded already \(load [-\da-f]{36}\); --again loads it a second time$/,
      )
      expect(lines.join('\n')).not.toContain('published')
      expect(lines).toContain('every load is complete and adds up')
      expect(screen.unknown).toEqual([])
      expect(written).not.toContain(hidesCursor)
    },
    60_000,
  )

  it('why a consumer process has ended stands above the bars, on a line of its own', async () => {
    await using folder = await make()
    await folder.write(
      'broken.ts',
      slow.replace(' columns:', ` validate: () => { throw new RangeError() }, columns:`),
    )
    const args = ['load', 'in/a.csv', '--consumers', '2', '--model', './broken.ts']
    const { code, written, screen } = await atTerminal(folder, args, { columns: 200 })
    expect(code, written).toBe(70)
    const lines = screen.text.map((line) => line.slice(0, 24)).filter((line) => /^(error|a\.csv)/.test(line))
    expect([...new Set(lines)]).toEqual([
      expect.stringMatching(/^error HOOK_FAILED: stop/),
      expect.stringMatching(/^a\.csv +\[/),
      expect.stringMatching(/^error CONSUMER_LOST: a/),
    ])
    expect(lines.slice(-2)).toEqual([...new Set(lines)].slice(-2))
    expect(screen.unknown).toEqual([])
  }, 60_000)

  it('NO_COLOR leaves the bars, and takes the colours', async () => {
    await using folder = await make()
    const plain = await atTerminal(folder, ['load', 'in/a.csv', ...slowly], { env: { NO_COLOR: '1' } })
    const usual = await atTerminal(folder, ['load', 'in/a.csv', '--again', ...slowly])
    expect(plain.written).toContain('100 %')
    expect(plain.written).not.toMatch(colour)
    expect(usual.written).toMatch(colour)
  }, 60_000)

  it('Ctrl-C in doctor is no finding: it is said above what is looked at, which goes', async () => {
    await using folder = await Folder.make()
    const open: Socket[] = []
    // Takes connections, and answers none.
    const server = createServer((socket) => void open.push(socket.on('error', () => undefined)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const type = typedWhen('\u0003', (written) => written.includes('looking at the database'))
    const args = ['doctor', '--to', `postgresql://me@127.0.0.1:${port}/shop`]
    const { code, written, screen } = await atTerminal(folder, args, { columns: 200, type })
    for (const socket of open) socket.destroy()
    server.close()
    expect(code, written).toBe(75)
    expect(screen.text).toEqual([
      'stopping: finishing the work in hand (repeat to end at once)',
      expect.stringMatching(/^error ABORTED: stopped before everything was looked at/),
    ])
  }, 60_000)

  it('Ctrl-C leaves the bars as they are, the error below them, and a cursor to go on with', async () => {
    await using folder = await make()
    const type = typedWhen('\u0003', (written) => / [1-9]\d? %/.test(written))
    const { code, written, screen } = await atTerminal(folder, ['load', 'in/a.csv', ...consumers], { type })
    expect(code, written).toBe(75)
    expect(screen.text[0]).toBe('stopping: finishing the work in hand (repeat to end at once)')
    expect(screen.text[1]).toMatch(/^a\.csv .*%/)
    expect(written).not.toContain(hidesCursor)
    expect(written.endsWith('\r\n')).toBe(true)
  }, 60_000)

  it('a consumer shows batches and the loads that it knows, and that it waits', async () => {
    await using folder = await make()
    expect(
      (await folder.lading('produce', 'in/a.csv', '--chunk-bytes', '60', '--model', './slow.ts')).code,
    ).toBe(0)
    const { code, written } = await atTerminal(folder, [
      'consume',
      '--until-empty',
      '--model',
      './slow.ts',
      '--batch-messages',
      '1',
    ])
    expect(code, written).toBe(0)
    expect(written).toMatch(/\d+ batch(es)? .*\d+ records/)
    expect(written).toMatch(/a\.csv +\[/)
  }, 60_000)

  it('doctor shows what it looks at, and leaves its findings alone', async () => {
    await using folder = await make()
    const { code, written, screen } = await atTerminal(folder, ['doctor', 'in/a.csv'])
    expect(code, written).toBe(0)
    const order = ['this machine', 'the queue', 'the database', 'the files', 'the table']
    const places = order.map((what) => written.indexOf(`looking at ${what}`))
    expect(places[0]).toBeGreaterThanOrEqual(0)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(screen.text[0]).toBe('Database')
    expect(screen.text.join('\n')).not.toContain('looking at')
    expect(screen.unknown).toEqual([])
    const quiet = await atTerminal(folder, ['doctor', 'in/a.csv', '--quiet'])
    expect(quiet.written).not.toContain('\u001b')
  }, 60_000)

  it('--log-format json and --quiet have no bars', async () => {
    await using folder = await make()
    for (const more of [['--log-format', 'json'], ['--quiet'], ['--log-level', 'warn']]) {
      const { written } = await atTerminal(folder, ['load', 'in/a.csv', '--again', ...slowly, ...more])
      expect(written).not.toContain('\u001b')
    }
  }, 60_000)

  it('status --watch draws again and again in the same place, and ends at Ctrl-C with exit code 0', async () => {
    await using folder = await make()
    expect((await folder.lading('load', 'in/a.csv', '--model', './slow.ts')).code).toBe(0)
    const type = typedWhen('\u0003', (written) => written.split('queue: ').length > 3)
    const { code, screen } = await atTerminal(folder, ['status', '--watch', '0.7'], { type })
    expect(code).toBe(0)
    expect(screen.text).toEqual([
      expect.stringMatching(/^20\S+Z {2}queue: 0 ready, 0 in flight, 0 dead$/),
      expect.stringMatching(/^1 of 1 load .*100 % +40\/40/),
    ])
  }, 60_000)
})

describe('without a terminal', () => {
  it('there is no code of a terminal, but a time before each line', async () => {
    await using folder = await make()
    const child = folder.start(['load', 'in', '--log-level', 'debug'], { TERM: 'xterm' })
    let written = ''
    let err = ''
    child.stdout.on('data', (text) => (written += String(text)))
    child.stderr.on('data', (text) => (err += String(text)))
    await once(child, 'close')
    expect(written + err).not.toContain('\u001b')
    const lines = err.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines) expect(line).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ \w/)
  })

  it('status --watch prints a block each time, one JSON object each with --json, and ends when nobody reads any more', async () => {
    await using folder = await make()
    expect((await folder.lading('load', 'in/a.csv')).code).toBe(0)
    for (const more of [[], ['--json']]) {
      const child = folder.start(['status', '--watch', '0.1', ...more])
      let written = ''
      child.stdout.on('data', (text) => {
        written += String(text)
        if (written.split(/queue/).length > 3) child.stdout.destroy()
      })
      const [code] = (await once(child, 'exit')) as [number | null]
      expect(code).toBe(0)
      if (more.length > 0)
        expect(JSON.parse(written.split('\n')[1] as string)).toMatchObject({
          queue: { ready: 0 },
          loads: [{ loaded: 40 }],
        })
      else
        expect(written).toMatch(
          /^20\S+Z {2}queue: 0 ready, 0 in flight, 0 dead\n1 of 1 load .* 40 of 40 .*\n\n20/,
        )
    }
  })
})
