/** Loads into PostgreSQL, whatever is killed, restarted or cut; `npm run faults` draws as many faults as one likes. */
import { isIntoPostgres, survives } from './survives.ts'

survives(isIntoPostgres)
