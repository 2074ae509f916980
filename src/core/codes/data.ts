/** Codes of data: records that cannot be loaded, and messages that cannot be processed as a whole. */
import { code, type CodeInfo } from './action.ts'

const reject = (meaning: string, advice: string): CodeInfo => code('reject', 3, meaning, advice)
const dead = (meaning: string, advice: string): CodeInfo => code('dead', 3, meaning, advice)

export const dataCodes = {
  // A record could not be loaded.
  COLUMN_COUNT: reject(
    'the record has more or fewer cells than the header',
    'give it as many cells as the header has: rejects edit, then rejects replay',
  ),
  RECORD_INVALID: reject(
    'the validate of the model refuses the record',
    'correct the record as the reason says: rejects edit, then rejects replay',
  ),
  BLANK_LINE: reject(
    'the line is empty',
    'discard it with rejects discard, or skip such lines with --blank-lines skip',
  ),
  EXTRA_FIELD: reject(
    'the object has a field that is not in the model',
    'correct the source, or use --ignore-extra',
  ),
  NO_FIELD: reject(
    'the object has no field that a column reads',
    'correct the source or the from() of the columns; a record in an envelope, as SNS sends it, needs --unwrap',
  ),
  NO_RECORDS: reject(
    'nothing stands where the path to the records leads',
    'correct the source or --records; a record that stands elsewhere: rejects edit, then replay',
  ),
  NOT_WRAPPED: reject(
    'the object is not the envelope that --unwrap names',
    'correct --unwrap; a record that stands without an envelope: rejects edit, then replay',
  ),
  DELETE_REFUSED: reject(
    'the record deletes a row, and the model or the consumer does not allow that',
    "give the model a primaryKey and onConflict 'update' or 'merge' without a version, and consume with --unwrap debezium",
  ),
  NOT_AN_OBJECT: reject(
    'the path of a column leads through a value that is no object',
    'correct the source or the from() of the column',
  ),
  DUPLICATE_FIELD: reject('an object names a field twice', 'correct the source'),
  NESTED_VALUE: reject(
    'an object or array stands where the column takes a single value',
    'make the column json(), or give it a transform',
  ),
  BAD_QUOTE: reject(
    'a quote in a place where CSV allows none',
    'quote the whole cell and double the quotes in it: rejects edit, then rejects replay',
  ),
  BAD_ENCODING: reject(
    'the bytes are not valid UTF-8',
    'convert the rejects, not the file (rejects edit, replay; or rejects export, discard, load); a converted file is a new load, and without a key its good records are loaded twice',
  ),
  LONE_SURROGATE: reject(
    'the text contains half a surrogate pair, which is not a character',
    'correct the source: it cuts text inside a character',
  ),
  NUL_BYTE: reject('the text contains a NUL, which databases refuse', 'remove the NUL'),
  NULL_NOT_ALLOWED: reject(
    'the column requires a value and the cell is empty',
    'fill the cell, give the column a default, or drop notNull',
  ),
  BAD_BOOLEAN: reject(
    'not a boolean',
    'use true/false, t/f, yes/no, y/n, on/off, 1/0; other words need a transform',
  ),
  BAD_INTEGER: reject(
    'not a whole number',
    'use digits with an optional sign; for thousands and currencies see written() and --thousands, for 3.0 --round',
  ),
  BAD_NUMBER: reject(
    'not a decimal number',
    'use digits, a point and an exponent; other forms: written(), --decimal, --thousands; NaN and Infinity are refused (see nullIf)',
  ),
  BAD_DATE: reject(
    'not a date that exists, in the form YYYY-MM-DD or the one stated',
    'write YYYY-MM-DD, or state how it is written: written({ pattern }), or --date-format',
  ),
  BAD_TIMESTAMP: reject(
    'not a timestamp that exists, in the form YYYY-MM-DD HH:MM:SS or the one stated',
    'write YYYY-MM-DD HH:MM:SS, with T or a space, or state how it is written: written({ pattern }) or written({ epoch }), or --date-format',
  ),
  BAD_TIME: reject(
    'not a time of day, in the form HH:MM:SS or the one stated',
    'write HH:MM:SS, or state how it is written: written({ pattern })',
  ),
  ZONE_MISSING: reject(
    'the timestamp has no zone',
    'add an offset, or state the zone: --zone, in a model timestamptz({ zone })',
  ),
  ZONE_NOT_ALLOWED: reject(
    'the timestamp has a zone, the column keeps none',
    'use timestamptz, remove the offset, or state with --zone which time the column keeps',
  ),
  LOCAL_TIME_AMBIGUOUS: reject('the local time happened twice in its zone', 'add the offset that was meant'),
  LOCAL_TIME_MISSING: reject(
    'the local time never happened in its zone',
    'correct it, or add the offset that was meant',
  ),
  BAD_ENUM: reject('not one of the values of the column', 'correct it, or add it to the enumeration'),
  BAD_BYTES: reject(
    'not bytes in the encoding of the column',
    'write \\x and hexadecimal digits, or state the encoding: bytea({ encoding })',
  ),
  BAD_ARRAY: reject('not an array', 'write {1,2}, or JSON: [1,2]'),
  BAD_UUID: reject('not a UUID', 'use 32 hexadecimal digits, with or without hyphens'),
  BAD_JSON: reject('not a valid JSON object or value', 'correct the document'),
  OUT_OF_RANGE: reject(
    'the value does not fit the column type',
    'use a wider type: bigint, numeric; text for instants outside the years 0001 to 9999',
  ),
  PRECISION_LOST: reject(
    'the column type would lose digits of the value',
    'round numbers with --round, or use numeric with a greater scale; times finer than a microsecond: round, or use text',
  ),
  TOO_LONG: reject('the text is longer than the column allows', 'use a wider varchar, or text'),
  TRANSFORM_FAILED: reject(
    "the model's own transform threw",
    'correct the transform, or the record, then replay',
  ),
  RECORD_FILTERED: reject(
    'the model or an option leaves the record out',
    'discard it with rejects discard, or correct where, skipWhen or --skip-when',
  ),
  OBJECT_TOO_LARGE: reject('the object is larger than 16 MiB', 'send smaller ones'),
  VALUE_REDACTED: reject(
    'the value was not kept when the message became a dead letter',
    'ask the sender to send it again',
  ),
  RECORD_NOT_KEPT: reject(
    'the record was not kept in full: it was cut, none of it could be kept, or an older lading kept it',
    'enter the whole record with rejects edit, then replay',
  ),
  CONSTRAINT_UNIQUE: reject(
    'another row has the same key',
    'choose onConflict skip or update, or remove the duplicate',
  ),
  CONSTRAINT_NOT_NULL: reject('the table requires a value here', 'fill the cell'),
  CONSTRAINT_CHECK: reject(
    'a check constraint of the table refused the row, or it has no partition for it',
    'correct the value, or create the partition',
  ),
  CONSTRAINT_FOREIGN_KEY: reject(
    'the row refers to one that does not exist',
    'load the referenced rows first',
  ),
  CONSTRAINT_EXCLUSION: reject('an exclusion constraint of the table refused the row', 'correct the value'),
  TRIGGER_RAISED: reject('a trigger or a function of the table refused the row', 'see the detail'),
  VALUE_REFUSED: reject('the database refused a value of the row', 'see the detail'),

  // A message could not be processed as a whole.
  NOT_OURS: dead('the message is not a Lading chunk, and not JSON objects', 'look at it with dead show'),
  NOT_NOTIFIED: dead(
    'the message is no notification of S3',
    'look at it with dead show; the queue should hold nothing else',
  ),
  OBJECT_APART: dead(
    'the letter stands for an object of S3, which a replay does not read',
    'put the object anew, or load its folder with lading load; then discard the letter',
  ),
  CONTENT_ENCODING: dead(
    'the body of the message cannot be decoded as its content encoding says',
    'send it plain, or as gzip, zstd or base64; at most 16 MiB when decoded',
  ),
  KEY_MISSING: dead(
    'nothing identifies the message or a record in it',
    'set a message id, or use --dedup-key field:NAME or content',
  ),
  BAD_ENVELOPE: dead(
    'the message claims to be a Lading chunk, but its header cannot be read',
    'look at it with dead show',
  ),
  ENVELOPE_NEWER: dead('the message was made by a newer version of lading', 'upgrade lading, then replay'),
  WRONG_PIPELINE: dead(
    'the message belongs to another pipeline',
    'replay it with the --model and --pipeline of its load',
  ),
  CHECKSUM: dead(
    'the sha256 of the body differs from the one in the header',
    'publish it again with verify --republish-missing',
  ),
  REFERENCE_REFUSED: dead(
    'the message refers to a file outside the root, to something other than a regular file, or to too many bytes',
    'correct --root, or find out where the message came from',
  ),
  REFERENCE_UNREADABLE: dead(
    'the file that the message refers to cannot be read',
    'restore it or correct its permissions, then replay',
  ),
  BODY_NOT_KEPT: dead(
    'nothing of the message was kept, because the model masks personal data',
    'publish a chunk again with verify --republish-missing; ask the sender to send any other message again',
  ),
  KEY_REUSED: dead(
    'another message with the same key but different content was applied before',
    'give each message a key of its own',
  ),
  PLAN_MISMATCH: dead(
    'the load was started with another plan',
    'finish it with the same chunk size and model, or use --again',
  ),
  MODEL_MISMATCH: dead(
    "the chunk's header does not fit the model of this consumer",
    'consume with the model it was produced with, then replay',
  ),
  ATTEMPTS_EXHAUSTED: dead(
    'the message was delivered too often without being settled',
    'look at it with dead show, fix the cause, then replay',
  ),
  SET_ASIDE: dead('the message was set aside by hand', 'fix what stopped the consumer, then replay'),
  UNPROCESSABLE: dead(
    'the message fails on its own, for a reason that lading does not recognize',
    'see the detail, fix the cause, then replay',
  ),
} as const satisfies Record<string, CodeInfo>
