/** Codes of databases, queues, files and commands. */
import { code, type CodeInfo } from './action.ts'

export const systemCodes = {
  // The database.
  SINK_UNAVAILABLE: code('reconnect', 69, 'the database cannot be reached', 'start it, or correct --to'),
  SINK_BUSY: code('retry', 75, 'the database asks to try again (lock, deadlock, timeout)', 'wait'),
  SINK_HOLD: code(
    'hold',
    75,
    'the database cannot take more (disk, memory, connections)',
    'free some of it; loading resumes by itself',
  ),
  SINK_FAILED: code(
    'split',
    70,
    'the database refused the batch, for a reason that lading does not recognize',
    'see the detail',
  ),
  SINK_REFUSED: code(
    'halt',
    78,
    'the database refuses access (password, permission, path, database, configuration)',
    'correct --to or the permissions',
  ),
  SCHEMA_MISMATCH: code('halt', 78, 'the table does not fit the model', 'change the model or the table'),
  DEFER_REFUSED: code(
    'halt',
    78,
    'building the indexes cannot be deferred to the end of the load',
    'see the detail, or use --defer-indexes auto',
  ),
  TABLE_NOT_EMPTY: code(
    'halt',
    65,
    'the table has rows, and loading from scratch would duplicate some of them',
    'remove the rows of these files first, or load the files a second time beside them with --again',
  ),
  REPLACE_REFUSED: code(
    'halt',
    65,
    'the rows of the table were not replaced, and are what they were',
    'see the detail',
  ),
  INDEXES_BLOCKED: code(
    'halt',
    65,
    'indexes deferred to the end of a load cannot be built, because a row violates one',
    'load all files of that load again in one command, or remove the rows (usually duplicates) and load again',
  ),
  SINK_CORRUPT: code(
    'halt',
    78,
    'the database file is damaged or is not a database',
    'correct --to, or restore the file from a backup',
  ),
  LEDGER_NEWER: code(
    'halt',
    78,
    'the ledger in the database was made by a newer version of lading',
    'upgrade lading',
  ),

  // The queue.
  QUEUE_UNAVAILABLE: code('reconnect', 69, 'the queue cannot be reached', 'start it, or correct --queue'),
  QUEUE_BUSY: code('retry', 75, 'the queue asks to try again', 'wait'),
  QUEUE_HOLD: code(
    'hold',
    75,
    'the queue cannot take more (disk, memory, its own limit)',
    'run consumers, or free some space; publishing resumes by itself',
  ),
  QUEUE_REFUSED: code(
    'halt',
    78,
    'the queue refuses access (password, virtual host, permission, path, certificate, a queue with other arguments)',
    'correct --queue or the permissions',
  ),
  QUEUE_MISSING: code(
    'halt',
    78,
    'the queue does not exist',
    'correct --queue, or create it (produce and consume create it if they may, unless --no-create is given)',
  ),
  QUEUE_NEWER: code('halt', 78, 'the queue was made by a newer version of lading', 'upgrade lading'),
  QUEUE_CORRUPT: code(
    'halt',
    78,
    'the queue file is damaged or is not a queue',
    'restore it, or produce again into a new one',
  ),
  MESSAGE_TOO_LARGE: code(
    'halt',
    65,
    'the message is larger than the queue takes',
    'use a smaller --chunk-bytes',
  ),

  // Either of them.
  DRIVER_MISSING: code(
    'halt',
    69,
    'the package that speaks to this kind of queue, database or store is not installed',
    'install it where lading is installed; with npx: npx -p lading -p PACKAGE lading …',
  ),

  // The files.
  SOURCE_MISSING: code('halt', 66, 'the file or folder does not exist', 'correct the path'),
  SOURCE_EMPTY: code('halt', 66, 'no file to load was found', 'correct the path, the pattern or the format'),
  SOURCE_UNREADABLE: code('halt', 66, 'the file cannot be read', 'correct its permissions'),
  SOURCE_UNAVAILABLE: code(
    'reconnect',
    69,
    'the server that has the file cannot be reached, or is too busy',
    'the same command continues where it was',
  ),
  SOURCE_REFUSED: code(
    'halt',
    77,
    'the server that has the file refuses the credentials or the request',
    'correct the credentials, the region or the endpoint, as the message says',
  ),
  SOURCE_FAILED: code(
    'halt',
    74,
    'the stream or the objects that a program gives to a load broke off',
    'correct the program; the cause of the error is what it threw',
  ),
  SOURCE_CORRUPT: code('halt', 65, 'the compressed file is damaged or truncated', 'get it again'),
  SOURCE_COMPRESSED: code(
    'halt',
    65,
    'the file is compressed in an unsupported format',
    'unpack it first, as the message says',
  ),
  SOURCE_FORMAT: code(
    'halt',
    65,
    'the file is of a kind that is not read',
    'convert it first, as the message says',
  ),
  SOURCE_ENCODING: code('halt', 65, 'the file is not UTF-8', 'state its encoding with --encoding'),
  SOURCE_LINE_ENDS: code('halt', 65, 'the lines of the file end with CR alone', 'read it with --line-end cr'),
  SOURCE_MALFORMED: code(
    'halt',
    65,
    'the structure of the file is broken, or the file has another format',
    'correct the file at the line in the message, or state its format with --format',
  ),
  SOURCE_UNDECIDED: code(
    'halt',
    65,
    'the file can be read in several ways, which would give other records or values',
    'choose one of the readings with its option',
  ),
  SOURCE_DIFFERS: code(
    'halt',
    65,
    'the file does not begin with what was loaded of it',
    'begun anew: --append --rotated; changed: load it as a whole with --again, with a key rows are updated',
  ),
  SOURCE_GROWN: code(
    'halt',
    65,
    'the file begins with what was loaded of it, and the table has no key',
    '--append loads what was added; --again loads everything, and those rows twice',
  ),
  SOURCE_CHANGED: code('halt', 4, 'the file changed while it was read', 'load it again when it is complete'),
  UNCLOSED_QUOTE: code(
    'halt',
    65,
    'a quote is opened but never closed',
    'close it, or choose another quote character',
  ),
  RECORD_TOO_LARGE: code(
    'halt',
    65,
    'a record is larger than the limit',
    'look for a quote or a bracket that is never closed',
  ),
  PLAN_CHANGED: code(
    'halt',
    65,
    'the load was started with another chunk size, reading or model',
    'finish it with the same settings, or use load --fresh',
  ),
  HEADER_MISMATCH: code(
    'halt',
    65,
    'the header does not fit the model',
    'correct the header, the delimiter or the model',
  ),
  HEADER_DUPLICATE: code(
    'halt',
    65,
    'the header names a column twice',
    'rename one, or read the second as NAME_2',
  ),

  OUTPUT_UNWRITABLE: code('halt', 73, 'a file cannot be written', 'correct the folder or its permissions'),

  HTTP_UNAVAILABLE: code(
    'halt',
    69,
    'the server for metrics and health cannot listen on its address',
    'free the port, or correct --http',
  ),

  REFERENCE_HOLD: code(
    'hold',
    75,
    'the file system or the server with the files that messages refer to does not work properly',
    'repair it, free space or correct the credentials; loading resumes by itself',
  ),

  // The command.
  USAGE: code('halt', 64, 'the command line is invalid', 'see --help'),
  CONFIG_INVALID: code('halt', 78, 'the configuration is invalid', 'correct it'),
  MODEL_INVALID: code('halt', 78, 'the model is invalid', 'correct it'),
  HOOK_FAILED: code(
    'halt',
    70,
    'the validate or a derive of the model threw, or returned what it must not',
    'correct the model at the place in the message and run the same command again; the cause of the error is what it threw',
  ),
  STATE_INVALID: code(
    'halt',
    78,
    "the producer's state file cannot be used",
    'move it away; loading again is safe',
  ),
  NOT_FOUND: code('halt', 66, 'there is no such load, reject or dead letter', 'list them first'),
  CONSUMER_LOST: code(
    'halt',
    70,
    'a consumer process ended before the load was complete',
    'run the same command again; it resumes',
  ),
  ABORTED: code('halt', 75, 'the run was stopped by a signal', 'run the same command again; it resumes'),
  INTERNAL: code('split', 70, 'internal error in lading', 'report it with the message'),
} as const satisfies Record<string, CodeInfo>
