/** Loads into other databases, whatever is killed, restarted or cut; `npm run faults` has a lane for each queue. */
import { survives } from './survives.ts'

survives(['embedded-sqlite', 'sqs-sqlite', 'embedded-mariadb', 'embedded-duckdb'])
