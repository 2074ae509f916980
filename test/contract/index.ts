/**
 * The face of `lading/testing`: what every queue and every sink promises, as tests that run on any adapter,
 * those of others included. These files import the library by its name alone, as an adapter does.
 */
export { queueContract } from './queue/queue.ts'
export type { QueueModule } from './queue/child.ts'
export type { Deviation, Place, QueueUnderTest } from './queue/guarantee.ts'
export { sinkContract, sqlSinkContract } from './sink/sink.ts'
export { type Dialect, type OpenSqlTarget, type SqlTarget, sqlTarget } from './sink/sql.ts'
export type { Entry, OpenTarget, Row, Target } from './sink/target.ts'
export { formatContract, type FormatUnderTest, type Values } from './format/format.ts'
export { columnTypeContract, type TypeUnderTest } from './type/type.ts'
