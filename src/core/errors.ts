/**
 * THE table of codes: what each one means, what the engine does about it, and the exit code of a command that
 * ends on it. Retry policy is a lookup in this table, never a decision at the place where an error is caught.
 */
import { shortened } from './text.ts'

/**
 * What the engine does when it meets a code:
 * - `reject`: the record is kept in the reject table, the rest goes on;
 * - `dead`: the message is kept as a dead letter, the rest goes on;
 * - `split`: the batch is tried again one delivery at a time, and the delivery that still fails alone becomes
 *   a dead letter;
 * - `retry`: the same transaction is tried again after a back-off, without limit;
 * - `reconnect`: as `retry`, on a new connection;
 * - `hold`: as `retry`, with the operator told, because somebody must free or repair something;
 * - `halt`: the command stops, messages stay in the queue.
 */
export type Action = 'reject' | 'dead' | 'split' | 'retry' | 'reconnect' | 'hold' | 'halt'

export interface CodeInfo {
  readonly action: Action
  /** Exit code of a command that ends on this code (sysexits.h where one fits). */
  readonly exit: number
  readonly meaning: string
  /** What the person who reads the message can do. */
  readonly advice: string
}

const reject = (meaning: string, advice: string): CodeInfo => ({ action: 'reject', exit: 3, meaning, advice })
const dead = (meaning: string, advice: string): CodeInfo => ({ action: 'dead', exit: 3, meaning, advice })
const halt = (exit: number, meaning: string, advice: string): CodeInfo => ({
  action: 'halt',
  exit,
  meaning,
  advice,
})

export const codes = {
  // A record could not be loaded.
  COLUMN_COUNT: reject(
    'the record has more or fewer cells than the header',
    'give it as many cells as the header has: rejects edit, then rejects replay',
  ),
  BLANK_LINE: reject('the line is empty', 'rejects discard takes it out of sight; or allow rejects'),
  EXTRA_FIELD: reject(
    'the object has a field that the model does not know',
    'correct the sender, or use --ignore-extra',
  ),
  NO_FIELD: reject(
    'the object has no field that a column reads',
    'correct the sender or the from of the columns; records inside an SNS envelope need raw message delivery',
  ),
  DUPLICATE_FIELD: reject('an object names a field twice', 'correct the sender'),
  NESTED_VALUE: reject(
    'an object or array stands where the column takes a single value',
    'make the column json(), or give it a transform',
  ),
  BAD_QUOTE: reject(
    'a quote stands where the CSV rules allow none',
    'quote the whole cell and double the quotes in it: rejects edit, then rejects replay',
  ),
  BAD_ENCODING: reject(
    'the bytes are not valid UTF-8',
    'convert the rejects and not the file (rejects edit, replay; or rejects export, discard, load): converted, it is a new load, whose good records come twice where there is no key',
  ),
  LONE_SURROGATE: reject(
    'the text holds half a surrogate pair, which is no character',
    'correct the sender, which cuts a text within a character',
  ),
  NUL_BYTE: reject('the text contains a NUL, which databases refuse', 'remove the NUL'),
  NULL_NOT_ALLOWED: reject(
    'the column must have a value and the cell is empty',
    'fill the cell, give the column a default, or drop notNull',
  ),
  BAD_BOOLEAN: reject(
    'not a boolean',
    'use true/false, t/f, yes/no, y/n, on/off, 1/0; other words need a transform',
  ),
  BAD_INTEGER: reject('not a whole number', 'use digits with an optional sign; other forms need a transform'),
  BAD_NUMBER: reject(
    'not a decimal number',
    'use digits, a point and an exponent; other forms need a transform; NaN and Infinity are refused (see nullIf)',
  ),
  BAD_DATE: reject(
    'not a date that exists, in the form YYYY-MM-DD',
    'write YYYY-MM-DD; other forms, also those of ISO 8601, need a transform',
  ),
  BAD_TIMESTAMP: reject(
    'not a timestamp that exists, in the form YYYY-MM-DD HH:MM:SS',
    'write YYYY-MM-DD HH:MM:SS, with T or a space; other forms, also those of ISO 8601, need a transform',
  ),
  ZONE_MISSING: reject(
    'the timestamp has no zone',
    'add an offset, or state the zone in the column: timestamptz({ zone })',
  ),
  ZONE_NOT_ALLOWED: reject(
    'the timestamp has a zone, the column keeps none',
    'use timestamptz, or remove the offset',
  ),
  LOCAL_TIME_AMBIGUOUS: reject('the local time happened twice in its zone', 'add the offset that was meant'),
  LOCAL_TIME_MISSING: reject(
    'the local time never happened in its zone',
    'correct it, or add the offset that was meant',
  ),
  BAD_UUID: reject('not a UUID', 'use 32 hexadecimal digits, with or without hyphens'),
  BAD_JSON: reject('not valid JSON', 'correct the document'),
  OUT_OF_RANGE: reject(
    'the value does not fit the column type',
    'use a wider type: bigint, numeric; text for instants outside the years 0001 to 9999',
  ),
  PRECISION_LOST: reject(
    'the column type would lose digits of the value',
    'round it in a transform, or use numeric with a greater scale; of times the databases keep microseconds: round, or use text',
  ),
  TOO_LONG: reject('the text is longer than the column allows', 'use a wider varchar, or text'),
  TRANSFORM_FAILED: reject(
    "the model's own transform threw",
    'correct the transform, or the record, then replay',
  ),
  OBJECT_TOO_LARGE: reject('the object is larger than 16 MiB', 'send smaller ones'),
  VALUE_REDACTED: reject(
    'the value was not kept when the message was buried',
    'have its sender send it again',
  ),
  RECORD_NOT_KEPT: reject(
    'the record was not kept whole: it was cut, or nothing of it could be kept, or it was kept by an older lading',
    'give it whole with rejects edit, then replay',
  ),
  CONSTRAINT_UNIQUE: reject(
    'another row has the same key',
    'choose onConflict skip or update, or remove the double',
  ),
  CONSTRAINT_NOT_NULL: reject('the table requires a value here', 'fill the cell'),
  CONSTRAINT_CHECK: reject('a check constraint of the table refused the row', 'correct the value'),
  CONSTRAINT_FOREIGN_KEY: reject(
    'the row refers to one that does not exist',
    'load the referenced rows first',
  ),
  CONSTRAINT_EXCLUSION: reject('an exclusion constraint of the table refused the row', 'correct the value'),
  TRIGGER_RAISED: reject('a trigger or a function of the table refused the row', 'see the detail'),
  VALUE_REFUSED: reject('the database refused a value of the row', 'see the detail'),

  // A message could not be processed as a whole.
  NOT_OURS: dead('the message is neither a chunk of ours nor JSON objects', 'look at it with dead show'),
  KEY_MISSING: dead(
    'nothing tells the message, or the record in it, apart from others',
    'set a message id, or use --dedup-key field:NAME or content',
  ),
  BAD_ENVELOPE: dead(
    'the message says it is a chunk of ours but its header cannot be read',
    'look at it with dead show',
  ),
  ENVELOPE_NEWER: dead('the message was made by a newer version of lading', 'upgrade lading, then replay'),
  WRONG_PIPELINE: dead(
    'it belongs to another pipeline',
    'replay it with the --model and --pipeline of its load',
  ),
  CHECKSUM: dead(
    'the body does not have the sha256 that its header states',
    'publish it again with verify --republish-missing',
  ),
  REFERENCE_REFUSED: dead(
    'the message refers to what it must not: a file outside the root, no regular file, or too many bytes',
    'correct --root, or look for who sent it',
  ),
  REFERENCE_UNREADABLE: dead(
    'the file that the message refers to cannot be read',
    'put it back or correct its rights, then replay',
  ),
  BODY_NOT_KEPT: dead(
    'no byte of the message was kept, because the model masks personal data',
    'publish a chunk again with verify --republish-missing, have a message sent again',
  ),
  KEY_REUSED: dead(
    'another message with the same key and other content has taken effect',
    'give each message a key of its own',
  ),
  PLAN_MISMATCH: dead(
    'the load was begun with another plan',
    'finish it with the same chunk size and model, or use --again',
  ),
  MODEL_MISMATCH: dead(
    "the chunk's header does not fit the model of this consumer",
    'consume with the model it was produced with, then replay',
  ),
  ATTEMPTS_EXHAUSTED: dead(
    'the message was delivered too often without a verdict',
    'look at it with dead show, mend, replay',
  ),
  SET_ASIDE: dead('the message was set aside by hand', 'fix what stopped the consumer, then replay'),
  UNPROCESSABLE: dead(
    'the message fails alone for a reason that no rule knows',
    'see the detail, mend, replay',
  ),

  // The database.
  SINK_UNAVAILABLE: {
    action: 'reconnect',
    exit: 69,
    meaning: 'the database cannot be reached',
    advice: 'start it, or correct --to',
  },
  SINK_BUSY: {
    action: 'retry',
    exit: 75,
    meaning: 'the database asks to try again (lock, deadlock, time-out)',
    advice: 'wait',
  },
  SINK_HOLD: {
    action: 'hold',
    exit: 75,
    meaning: 'the database cannot take more (disk, memory, connections)',
    advice: 'free some; loading resumes by itself',
  },
  SINK_FAILED: {
    action: 'split',
    exit: 70,
    meaning: 'the database refused the batch for a reason that no rule knows',
    advice: 'see the detail',
  },
  SINK_REFUSED: halt(
    78,
    'the database refuses us (password, permission, path, database, configuration)',
    'correct --to or the rights',
  ),
  SCHEMA_MISMATCH: halt(78, 'the table does not fit the model', 'change the model or the table'),
  DEFER_REFUSED: halt(
    78,
    'the indexes cannot be left for the end of the load',
    'see the detail, or use --defer-indexes auto',
  ),
  TABLE_NOT_EMPTY: halt(
    65,
    'the table holds rows, and loading from scratch would put some there twice',
    'remove the rows of these files first; --again loads the files a second time beside them',
  ),
  INDEXES_BLOCKED: halt(
    65,
    'indexes that were left for the end of a load cannot be built, because they refuse a row',
    'load all the files of that load again in one call, or remove the rows (doubles, mostly) and load again',
  ),
  SINK_CORRUPT: halt(78, 'the database file is damaged or is not a database', 'restore it from a backup'),
  LEDGER_NEWER: halt(
    78,
    'the ledger in the database was made by a newer version of lading',
    'upgrade lading',
  ),

  // The queue.
  QUEUE_UNAVAILABLE: {
    action: 'reconnect',
    exit: 69,
    meaning: 'the queue cannot be reached',
    advice: 'start it, or correct --queue',
  },
  QUEUE_BUSY: { action: 'retry', exit: 75, meaning: 'the queue asks to try again', advice: 'wait' },
  QUEUE_HOLD: {
    action: 'hold',
    exit: 75,
    meaning: 'the queue cannot take more (disk, memory, its own limit)',
    advice: 'run consumers, or free some space; publishing resumes by itself',
  },
  QUEUE_REFUSED: halt(
    78,
    'the queue refuses us (password, virtual host, permission, path, certificate, a queue with other arguments)',
    'correct --queue or the rights',
  ),
  QUEUE_MISSING: halt(
    78,
    'there is no such queue',
    'correct --queue, or make it (produce and consume do where they may, without --no-create)',
  ),
  QUEUE_NEWER: halt(78, 'the queue file was made by a newer version of lading', 'upgrade lading'),
  QUEUE_CORRUPT: halt(
    78,
    'the queue file is damaged or is not a queue',
    'restore it, or produce again into a new one',
  ),
  MESSAGE_TOO_LARGE: halt(65, 'the message is larger than the queue takes', 'use a smaller --chunk-bytes'),

  // The files.
  SOURCE_MISSING: halt(66, 'there is no such file or folder', 'correct the path'),
  SOURCE_EMPTY: halt(66, 'no file to load was found', 'correct the path, the pattern or the format'),
  SOURCE_UNREADABLE: halt(66, 'the file cannot be read', 'correct its rights'),
  SOURCE_CORRUPT: halt(65, 'the compressed file is damaged or cut short', 'fetch it again'),
  SOURCE_COMPRESSED: halt(
    65,
    'the file is compressed in a way that is not read',
    'unpack it first, as the message says',
  ),
  SOURCE_ENCODING: halt(65, 'the file is not UTF-8', 'convert it to UTF-8'),
  SOURCE_LINE_ENDS: halt(
    65,
    'the lines of the file end with CR alone',
    "end them with LF: tr '\\r' '\\n' < FILE > NEW",
  ),
  SOURCE_MALFORMED: halt(
    65,
    'the structure of the file is broken, or the file is of another format',
    'correct it at the line that is named, or state its format: --format',
  ),
  SOURCE_CHANGED: halt(4, 'the file changed while it was read', 'load it again when it is complete'),
  UNCLOSED_QUOTE: halt(
    65,
    'a quote is opened and never closed',
    'close it, or state another quote character',
  ),
  RECORD_TOO_LARGE: halt(
    65,
    'a record is larger than the limit',
    'look for a quote or a bracket that is never closed',
  ),
  PLAN_CHANGED: halt(
    65,
    'the load was begun with another chunk size, format, dialect or model',
    'finish it with the same ones, or use load --fresh',
  ),
  HEADER_MISMATCH: halt(
    65,
    'the header does not fit the model',
    'correct the header, the delimiter or the model',
  ),
  HEADER_DUPLICATE: halt(65, 'the header names a column twice', 'rename one'),

  OUTPUT_UNWRITABLE: halt(73, 'a file cannot be written', 'correct the folder or its rights'),

  HTTP_UNAVAILABLE: halt(
    69,
    'the address for metrics and health cannot be listened on',
    'free the port, or correct --http',
  ),

  REFERENCE_HOLD: {
    action: 'hold',
    exit: 75,
    meaning: 'the file system of the files that messages refer to does not answer as it should',
    advice: 'repair or free it; loading resumes by itself',
  },

  // The command.
  USAGE: halt(64, 'the command line is not understood', 'see --help'),
  CONFIG_INVALID: halt(78, 'the configuration cannot be used', 'correct it'),
  MODEL_INVALID: halt(78, 'the model cannot be used', 'correct it'),
  STATE_INVALID: halt(78, "the producer's state file cannot be used", 'move it away; loading again is safe'),
  NOT_FOUND: halt(66, 'there is no such load, reject or dead letter', 'list them first'),
  CONSUMER_LOST: halt(
    70,
    'a consumer process ended before the load was complete',
    'run the same command again; it resumes',
  ),
  ABORTED: halt(75, 'the run was stopped by a signal', 'run the same command again; it resumes'),
  INTERNAL: {
    action: 'split',
    exit: 70,
    meaning: 'lading itself failed',
    advice: 'report it, with the message',
  },
} as const satisfies Record<string, CodeInfo>

export type Code = keyof typeof codes

/** Exit codes that belong to an outcome and not to an error. */
export const exits = { ok: 0, unbalanced: 1, rejects: 3 } as const

/**
 * The one error class. `message` is one line that says what happened and where; it never holds a secret or
 * personal data, and is never longer than a person reads.
 */
export class LadingError extends Error {
  override readonly name = 'LadingError'
  readonly code: Code
  /**
   * Key of the message that a consumer stopped at: set aside (`setAside`, `--set-aside`), it does not keep
   * the others from going on.
   */
  readonly stoppedAt: string | undefined

  constructor(
    code: Code,
    message: string,
    options?: { readonly cause?: unknown; readonly stoppedAt?: string },
  ) {
    super(shortened(message), options)
    this.code = code
    this.stoppedAt = options?.stoppedAt
  }

  get action(): Action {
    return codes[this.code].action
  }

  get exitCode(): number {
    return codes[this.code].exit
  }

  get advice(): string {
    return codes[this.code].advice
  }
}

/** Any thrown thing as a `LadingError`; what is not one already is a fault of lading itself. */
export function toLadingError(thrown: unknown): LadingError {
  if (thrown instanceof LadingError) return thrown
  return new LadingError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), {
    cause: thrown,
  })
}
