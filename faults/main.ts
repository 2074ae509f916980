/** `npm run faults`: disturbs lanes at work with faults, one lane after the other. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { buildCommand } from '../tooling/build.ts'
import { conduct, type ConductorOptions } from './conductor.ts'
import { kinds } from './kinds/index.ts'
import { laneNames, type LaneName, openLane } from './lanes/index.ts'
import { type LaneReport, tableOf } from './report.ts'

const usage = `Usage: npm run faults -- [options]

  --lane NAME     a lane; may stand several times (all)
  --kills N       faults for each lane (40)
  --minutes M     no round of a lane begins after so many minutes
  --seed N        draws what is loaded and which faults strike when (from the clock); the same seed draws the same again
  --quick         only kinds of faults that are over quickly
  --first KIND    a kind of fault that strikes before others are drawn; may stand several times
  --verbose       a line for each round and each fault
  --out FILE      write what was found as JSON
  --list          name the lanes and the kinds of faults, and end

Servers are started for each lane, and removed. Exit code 1 says that a record was lost, doubled or misjudged, or that the run shows nothing.`

const { values } = parseArgs({
  options: {
    lane: { type: 'string', multiple: true },
    kills: { type: 'string', default: '40' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    quick: { type: 'boolean', default: false },
    first: { type: 'string', multiple: true },
    verbose: { type: 'boolean', default: false },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function numberOf(name: 'kills' | 'minutes' | 'seed'): number | undefined {
  const text = values[name]
  if (text !== undefined && !(Number(text) > 0)) throw new Error(`--${name} is a number above zero`)
  return text === undefined ? undefined : Number(text)
}

function laneNamed(name: string): LaneName {
  const lane = laneNames.find((each) => each === name)
  if (lane === undefined) throw new Error(`there is no lane ${name}; there are ${laneNames.join(', ')}`)
  return lane
}

async function run(): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)))
  const options: ConductorOptions = {
    seed: numberOf('seed') ?? 1,
    kills: numberOf('kills') ?? 1,
    minutes: numberOf('minutes'),
    isQuick: values.quick,
    first: values.first,
    signal: stop.signal,
    tell: values.verbose ? (line) => console.error(line) : undefined,
  }
  console.error(`seed ${options.seed}`)
  await buildCommand()
  const reports: LaneReport[] = []
  for (const name of values.lane?.map(laneNamed) ?? laneNames) {
    await using lane = await openLane(name)
    const report = await conduct(lane, options)
    reports.push(report)
    for (const [fault, reason] of Object.entries(report.notPossible))
      console.error(`${name}: no ${fault}: ${reason}`)
    for (const problem of report.problems) console.error(`${name}: !!! ${problem}`)
  }
  console.log(tableOf(reports))
  if (values.out !== undefined) {
    const shown = reports.map((report) => ({ ...report, longest: report.longest, bound: report.bound }))
    await writeFile(values.out, `${JSON.stringify(shown, undefined, 2)}\n`)
  }
  if (reports.some(({ problems }) => problems.length > 0)) process.exitCode = 1
}

if (values.help) console.log(usage)
else if (values.list)
  console.log(`lanes: ${laneNames.join(', ')}\nfaults: ${kinds.map(({ name }) => name).join(', ')}`)
else await run()
