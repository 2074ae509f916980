import type { SectionName } from '../options.ts'
import { duckdb } from './duckdb.ts'
import { files } from './files.ts'
import { fresh } from './fresh.ts'
import { growth } from './growth.ts'
import { inferred } from './inferred.ts'
import { brin, hash } from './loads.ts'
import { mariadb } from './mariadb.ts'
import { messages } from './messages.ts'
import { nats } from './nats.ts'
import { observed } from './observed.ts'
import { pgqueue } from './pgqueue.ts'
import { pipeline } from './pipeline.ts'
import { redis } from './redis.ts'
import { scaling } from './scaling.ts'
import { polluted } from './polluted.ts'
import type { Section } from './section.ts'
import { sqlite } from './sqlite.ts'
import { sqs } from './sqs.ts'
import { start } from './start.ts'
import { upsert } from './upsert.ts'

export const sections: Readonly<Record<SectionName, Section>> = {
  brin,
  hash,
  fresh,
  files,
  growth,
  pipeline,
  upsert,
  messages,
  pgqueue,
  redis,
  sqs,
  nats,
  sqlite,
  duckdb,
  mariadb,
  scaling,
  observed,
  polluted,
  inferred,
  start,
}
