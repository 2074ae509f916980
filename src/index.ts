/** The library's face: everything that a program of yours may rely on. */
export { type Config, defineConfig, type PipelineConfig } from './config/config.ts'
export type { Cells } from './core/cells.ts'
export { type Code, type CodeInfo, codes, LadingError, toLadingError } from './core/errors.ts'
export type { LadingEvent, Listener, LoadCounts } from './core/events.ts'
export type { Fault, Reject, Span } from './core/fault.ts'
export type { Encoding, TextForm } from './core/encoding.ts'
export type { Layout, LeftOut, LoadInfo } from './core/load.ts'
export type { Notation, Notations } from './core/notation.ts'
export type { SkipWhen } from './core/skip.ts'
export type { Abortable } from './core/wait.ts'
export {
  array,
  bigint,
  boolean,
  bytea,
  type CellDecoder,
  Column,
  columnType,
  type ColumnType,
  custom,
  date,
  doublePrecision,
  enumeration,
  integer,
  interval,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from './model/columns.ts'
export {
  brin,
  btree,
  type ConflictPolicy,
  defineModel,
  hash,
  type Index,
  type Model,
  type ModelOptions,
  type RowOf,
  unique,
  type Where,
} from './model/model.ts'
export {
  hmacSha256,
  type Mask,
  type MaskKey,
  maskKey,
  maskKeyFromFile,
  partial,
  type PartialOptions,
  redact,
  sha256,
} from './model/mask.ts'
export { type DecodedRecord, decodeRecord, type RecordOrigin } from './model/values.ts'
export type { Value } from './model/value.ts'
export { ValueWriter } from './model/value-writer.ts'
// What an adapter of your own implements or is called with, besides `Queue` and `Sink`. `lading/testing`
// holds the suites that it must pass.
export { RecordDecoder } from './model/record.ts'
export type { TableColumn, TableFacts, TableKey, TableName, WantedTable } from './model/table.ts'
export type { RowBuffer, RowWriter } from './model/writer.ts'
export { storable } from './sink/storable.ts'
export { records } from './model/shipped/records.ts'
export { userLogins, type UserLoginsOptions } from './model/shipped/user-logins.ts'
export {
  addFormat,
  type Dialect,
  type FileFormat,
  type FormatName,
  type FormatOptions,
  type InsideOptions,
} from './format/registry.ts'
export type { Reading } from './format/reading.ts'
export type { FieldValue, Format, RecordReader, RecordText } from './format/format.ts'
export type { ExpectedFields, MakeSplitter, Splitter } from './format/split.ts'
export { textFault } from './format/text.ts'
export { cellBytes, quoted, type Take, unquoted, type WantedField } from './core/cells.ts'
export { openQueue } from './queue/registry.ts'
export type {
  Delivery,
  Depth,
  Headers,
  MessageFault,
  OpenOptions,
  Outcome,
  Outgoing,
  Peeked,
  Queue,
  QueueTraits,
} from './queue/queue.ts'
export { openSink } from './sink/registry.ts'
export type { SessionPool } from './sink/pool.ts'
export { type Balance, balance } from './sink/receipt.ts'
export type {
  Counts,
  DeadLetter,
  FilePart,
  Followed,
  ForgetOptions,
  Ledger,
  ListFilter,
  LoadProgress,
  MessageCounts,
  NamedLoad,
  Prunable,
  Pruned,
  PrunedPage,
  PruneFilter,
  Page,
  Receipt,
  ReceiptFilter,
  RejectFilter,
  RejectGroup,
  StoredDeadLetter,
  StoredReject,
} from './sink/ledger.ts'
export type {
  Batch,
  BatchVerdict,
  Built,
  MissingIndexes,
  Part,
  Prepared,
  PrepareOptions,
  GatheredLoad,
  Replaced,
  Replacement,
  RejectReplay,
  ReplayBatch,
  Sink,
  Verdict,
} from './sink/sink.ts'
export { type Consumer, type ConsumerOptions, createConsumer, type RunOptions } from './consumer/consumer.ts'
export type { RetryPolicy } from './core/retry.ts'
export type { Tally } from './consumer/tally.ts'
export type { DedupKey } from './consumer/decode/identity.ts'
export { type Outlook, type Preview, preview, type PreviewOptions } from './review/preview.ts'
export { prune, type PruneOptions } from './review/prune.ts'
export { replayLetter as replay, type ReplayOptions } from './review/letters.ts'
export { editReject, rejectPages, replayRejects, type ReplayRejectsOptions } from './review/rejects.ts'
export { type ExportedRecords, exportRejects, type ExportOptions } from './review/export.ts'
export type { ProduceOptions } from './producer/options.ts'
export { produce, type ProducedLoad } from './producer/produce.ts'
export type { LoadOptions, LoadResult } from './load/load.ts'
export type { GivenPaths, GivenObjects, GivenStream, RecordOf } from './load/given.ts'
export {
  type LoadedFiles,
  loadFiles as load,
  type ModelledLoadOptions,
  type UnmodelledLoadOptions,
} from './load/load-files.ts'
export { type DoctorOptions, examine } from './doctor/doctor.ts'
export type { Cost, Finding, Level, Subject } from './core/finding.ts'
export { dryRun, type DryRunOptions, type Rehearsal } from './load/dry-run.ts'
export type { TableChoices } from './model/of-table.ts'
export type { StatedTypes } from './infer/profile/propose.ts'
export {
  type Extent,
  type Goal,
  type LoadExtent,
  Progress,
  type ProgressSnapshot,
} from './observe/progress.ts'
