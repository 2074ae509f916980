/** `npm run simulate`: simulation/README.md says what it does. */
import { parseArgs } from 'node:util'
import { simulateTime } from './clock.ts'
import { change, smallLimits } from './changes.ts'
import { sabotage, saboteurs } from './saboteurs.ts'
import { simulateStates } from './states.ts'

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    replay: { type: 'string' },
    sabotage: { type: 'string' },
    saboteurs: { type: 'boolean', default: false },
  },
})

if (values.saboteurs) for (const { name } of saboteurs) console.log(name)
else {
  smallLimits.forEach(change)
  if (values.sabotage !== undefined) sabotage(values.sabotage)
  simulateTime()
  simulateStates()
  // Errors are made all the time, and nobody looks where.
  Error.stackTraceLimit = 0
  // The program is loaded behind these two.
  const { replay, simulate } = await import('./simulate.ts')
  const isKept =
    values.replay === undefined
      ? await simulate(Number(values.schedules), Number(values.seed))
      : await replay(values.replay)
  process.exitCode = isKept ? 0 : 1
}
