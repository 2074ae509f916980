/** Loads into other databases, whatever is killed, restarted or cut; `npm run faults` draws as many faults as one likes. */
import { laneNames } from '../../faults/lanes/index.ts'
import { survives } from './survives.ts'

survives(laneNames.filter((name) => !name.endsWith('postgres') && name !== 'pgqueue-same'))
