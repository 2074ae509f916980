/** `npm run fuzz`: fuzz/README.md says what it does. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Report, sharedBytes, Slot, type Work } from './slot.ts'
import { hidden, targets } from './targets/index.ts'

/** Of the processor, for one input: time on the wall says nothing on a busy machine. */
const mostSeconds = 5
const mostHeapMiB = 384
/** Of the whole process: buffers are no part of the heap. */
const mostMemoryMiB = 900
const pollMs = 200

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    target: { type: 'string' },
    inputs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    replay: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('findings', import.meta.url)) },
  },
})

const { replay } = values
const names = targets.map(({ name }) => name)
const named = values.target ?? (replay === undefined ? undefined : /^(.*)-\w+$/.exec(basename(replay))?.[1])
const chosen = named === undefined ? names : [...names, ...hidden].filter((name) => name === named)
if (chosen.length === 0 || (replay !== undefined && named === undefined)) {
  console.error(`--target is one of ${names.join(', ')}`)
  process.exit(2)
}
const seconds = (Number(values.minutes) * 60) / chosen.length
const seed = Number(values.seed)
if (replay === undefined) console.log(`seed ${seed}, ${seconds.toFixed(0)} s for each target`)
for (const target of chosen) {
  const input = replay === undefined ? undefined : readFileSync(replay)
  const since = performance.now()
  const { text, failing, report } = await ran({
    target,
    seed,
    seconds,
    inputs: Number(values.inputs),
    replay: input,
  })
  const took = (performance.now() - since) / 1000
  if (report !== undefined && replay === undefined)
    console.log(
      `${target}: ${report.runs} inputs in ${took.toFixed(1)} s, ${report.functions} functions reached, ${report.kept} inputs kept`,
    )
  if (text === undefined) {
    if (replay !== undefined) console.log(`${target}: every rule holds`)
    continue
  }
  process.exitCode = 1
  console.log(`${target}: ${text}`)
  if (failing !== undefined && replay === undefined) keep(target, failing)
}

function keep(target: string, input: Buffer): void {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const path = join(values.out, `${target}-${hash}`)
  mkdirSync(values.out, { recursive: true })
  writeFileSync(path, input)
  console.log(`  ${input.length} bytes: ${JSON.stringify(input.toString('latin1'))}`)
  console.log(`  again: npm run fuzz -- --replay ${path}`)
}

interface Ended {
  readonly report?: Extract<Report, { kind: 'done' }> | undefined
  /** What is wrong. */
  readonly text?: string | undefined
  readonly failing?: Buffer | undefined
}

/** One thread for one target, and a watch on it. */
async function ran(work: Omit<Work, 'shared'>): Promise<Ended> {
  const shared = new SharedArrayBuffer(sharedBytes)
  const slot = new Slot(shared)
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: { ...work, shared } satisfies Work,
    resourceLimits: { maxOldGenerationSizeMb: mostHeapMiB },
  })
  let ended: Ended = {}
  const end = (more: Ended): void => {
    ended = { ...ended, ...more }
  }
  worker.on('message', (report: Report) => {
    if (report.kind === 'finding') end({ text: report.text, failing: Buffer.from(report.input) })
    else end({ report, ...(report.failure !== undefined && { text: report.failure }) })
  })
  worker.on('error', (error) => end({ text: `it ends with ${String(error)}`, failing: slot.input }))
  const watching = setInterval(() => {
    const text = wrongNow()
    if (text === undefined) return
    end({ text, failing: slot.input })
    void worker.terminate()
  }, pollMs)
  let count = -1
  let since = process.cpuUsage()
  function wrongNow(): string | undefined {
    if (process.memoryUsage.rss() > mostMemoryMiB * 1024 * 1024)
      return `it takes more than ${mostMemoryMiB} MiB`
    if (slot.count !== count) {
      count = slot.count
      since = process.cpuUsage()
    }
    const { user } = process.cpuUsage(since)
    return user > mostSeconds * 1e6 ? `it goes on after ${mostSeconds} s of CPU time` : undefined
  }
  await new Promise((resolve) => worker.once('exit', resolve))
  clearInterval(watching)
  return ended
}
