/** Loads into PostgreSQL, whatever is killed, restarted or cut; `npm run faults` draws as many faults as one likes. */
import { survives } from './survives.ts'

survives([
  'rabbitmq-postgres',
  'nats-postgres',
  'redis-postgres',
  'sqs-postgres',
  'sqs-fifo-postgres',
  'pgqueue-same',
  'pgqueue-postgres',
])
