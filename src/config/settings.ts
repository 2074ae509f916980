// Written by `npm run docs` from the options of the commands; change the text there.

/** Options of all commands. */
export interface AllSettings {
  /** target database: postgresql://user@host/database, mysql://user@host/database, sqlite:PATH, or duckdb:PATH */
  readonly to?: string | undefined
  /** queue between producers and consumers; embedded:PATH, amqp://user@host/vhost?queue=NAME, postgresql://user@host/database?queue=NAME, redis://user@host/0?stream=NAME, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, nats://host:4222/?stream=NAME, or memory: */
  readonly queue?: string | undefined
  /** module that exports the model of the records; or 'records' or 'user_logins', which ship with Lading (default: derived from the table and the files) */
  readonly model?: string | undefined
  /** name of the pipeline in the ledger (default: the model's table) */
  readonly pipeline?: string | undefined
  /** false: fail if the queue does not exist, instead of creating it */
  readonly create?: boolean | undefined
  /** content of messages: the bytes, or a reference to the file, which consumers read below their --root (default: bytes; with a queue in a file, the place of the file on this machine) */
  readonly carry?: 'bytes' | 'reference' | undefined
  /** folder of the files that messages may refer to (--carry reference), or its URL: s3://BUCKET/FOLDER */
  readonly root?: string | undefined
  /** file with the producer's state between runs */
  readonly state?: string | undefined
  /** format of the files (default: by the suffix of each file, else csv) */
  readonly format?: 'csv' | 'tsv' | 'ndjson' | 'json' | undefined
  /** path to the records in JSON, such as 'data[]'; of messages and of JSON files */
  readonly records?: string | undefined
  /** envelopes around the records, the outermost first, for example sns,s3: sns, eventbridge, cloudevents, debezium, s3 */
  readonly unwrap?: string | readonly (string)[] | undefined
  /** encoding of the files, such as windows-1252 (default: UTF-8, or what a byte order mark says) */
  readonly encoding?: string | undefined
  /** character between CSV cells (default: ','); '\t' is a tab */
  readonly delimiter?: string | undefined
  /** false: the files have no header; cells are in the order of the model's columns */
  readonly header?: boolean | undefined
  /** rows of the CSV header; the names in one column are joined by a space (default: 1) */
  readonly headerRows?: string | number | undefined
  /** lines above the header to leave out */
  readonly skipLines?: string | number | undefined
  /** lines at the end to leave out */
  readonly footerLines?: string | number | undefined
  /** leave out CSV lines that begin with it, for example '#', and empty lines */
  readonly comment?: string | undefined
  /** character around CSV cells (default: '"'), or none */
  readonly quote?: string | undefined
  /** '\': a backslash makes the next character of a CSV cell data; or none */
  readonly escape?: string | undefined
  /** a CSV cell in quotes may go on in the next line (default) */
  readonly multiline?: boolean | undefined
  /** spaces and tabs around CSV cells and their quotes are no part of them */
  readonly trim?: boolean | undefined
  /** CSV records with another number of cells: reject them, trim empty cells at the end, or pad short ones too (default: reject) */
  readonly ragged?: 'reject' | 'trim' | 'pad' | undefined
  /** empty lines between CSV records of several cells: reject them, or skip them, which counts them as skipped (default: reject) */
  readonly blankLines?: 'reject' | 'skip' | undefined
  /** cr: lines end with CR alone; lf: with LF or CR LF (default) */
  readonly lineEnd?: 'cr' | 'lf' | undefined
  /** decimal sign of numbers (default: '.'); FIELD=SIGN for one field; may be repeated */
  readonly decimal?: string | readonly (string)[] | undefined
  /** sign between groups of three digits: '.', ',', ' ' or "'"; FIELD=SIGN for one field; may be repeated */
  readonly thousands?: string | readonly (string)[] | undefined
  /** dates and times, such as DD.MM.YYYY or epoch-ms; or excel-days; FIELD=FORMAT for one field; may be repeated */
  readonly dateFormat?: string | readonly (string)[] | undefined
  /** texts that mean no value, for example NA,- */
  readonly null?: string | readonly (string)[] | undefined
  /** numbers may have a currency, and (12.50) or 12.50- is negative; only the one that is named, or any; else a column has one */
  readonly money?: string | boolean | undefined
  /** round numbers that have more digits behind the point than their column keeps, instead of rejecting them */
  readonly round?: boolean | undefined
  /** ="007" is the text 007 */
  readonly excelText?: boolean | undefined
  /** name of standard input; the same bytes under another name are another load */
  readonly name?: string | undefined
  /** [schema.]name of the table, without a model (default: the name of the file); in double quotes, its case counts */
  readonly table?: string | undefined
  /** columns that identify a row, without a model (default: the primary key of the table) */
  readonly key?: string | readonly (string)[] | undefined
  /** what becomes of a record whose key is there already, without a model (default: error) */
  readonly onConflict?: 'error' | 'skip' | 'update' | 'merge' | undefined
  /** what times without an offset mean in a timestamptz, without a model: Europe/Berlin, UTC or +02:00; and the time that a timestamp keeps of those with one */
  readonly zone?: string | undefined
  /** types in a new table: id:bigint,price:numeric(12,2) */
  readonly columns?: string | readonly (string)[] | undefined
  /** text: all columns of a new table are text (default: what their values are) */
  readonly types?: 'text' | undefined
  /** build the indexes of an empty table, including its key, after the load, if the database can; auto: for files of 32 MiB and more */
  readonly deferIndexes?: 'auto' | 'always' | 'never' | undefined
  /** leave out records whose field has this text; none: no value; may be repeated; receipts count them */
  readonly skipWhen?: string | readonly (string)[] | undefined
  /** exit with 0 even if records were rejected */
  readonly allowRejects?: boolean | undefined
  /** ignore fields that are not in the model */
  readonly ignoreExtra?: boolean | undefined
  /** key that identifies external messages: message-id, content, or field:NAME for each record */
  readonly dedupKey?: string | undefined
  /** deliveries without a result before a message becomes a dead letter */
  readonly maxAttempts?: string | number | undefined
  /** attempts for a message that fails on its own before it becomes a dead letter */
  readonly messageAttempts?: string | number | undefined
  /** attempts for a batch that the database asks to retry before the consumer stops (default: no limit) */
  readonly batchAttempts?: string | number | undefined
  /** longest pause after the first attempt for a message; doubles with each attempt */
  readonly retryPause?: string | number | undefined
  /** turn the message with this key, at which a consumer stops, into a dead letter; repeatable */
  readonly setAside?: string | readonly (string)[] | undefined
  /** show what would be loaded and rejected; decodes every record, and writes nothing */
  readonly dryRun?: boolean | undefined
  /** load what was added to these files since they were loaded; a last record without a line end waits for the next run */
  readonly append?: boolean | undefined
  /** replace the rows of the table by those of the files, in one transaction at the end; a rejected record keeps the old rows, unless --allow-rejects */
  readonly replace?: boolean | undefined
  /** with --append: nothing more comes, and the last record is loaded without a line end, too */
  readonly ended?: boolean | undefined
  /** with --append: a file that does not begin with what was loaded of it was begun anew, and is loaded from its beginning */
  readonly rotated?: boolean | undefined
  /** load the same files a second time; as additional rows, or over rows with the same key */
  readonly again?: boolean | undefined
  /** delete what the ledger has of these files, including their rejects, and load them from scratch; for an emptied or dropped table (--again keeps what was loaded) */
  readonly fresh?: boolean | undefined
  /** read every file, also those that the file system says have not changed since they were loaded */
  readonly readAll?: boolean | undefined
  /** number of consumers; more than one run as separate processes (default: by cores, files and database) */
  readonly consumers?: string | number | undefined
  /** target size of a message (default: 1 MiB, or less if the queue accepts less) */
  readonly chunkBytes?: string | number | undefined
  /** most messages in one transaction */
  readonly batchMessages?: string | number | undefined
  /** how long to wait at the start for an unavailable database or queue */
  readonly startTimeout?: string | number | undefined
  /** serve a page and metrics at [HOST:]PORT during the run; also /healthz and /readyz; the default host is 127.0.0.1 */
  readonly http?: string | number | undefined
  /** file with the token for clients on other machines (or LADING_HTTP_TOKEN) */
  readonly httpToken?: string | undefined
  /** another host name that browsers and Prometheus may use for this machine; repeatable */
  readonly httpName?: string | readonly (string)[] | undefined
  /** with --http, keep the page after the end of the run: for this long, or until Ctrl-C */
  readonly httpLinger?: string | number | boolean | undefined
  /** /readyz fails after this long without progress while there is work */
  readonly stallAfter?: string | number | undefined
  /** go on, and load what arrives in the folders or under the patterns, until stopped */
  readonly watch?: boolean | undefined
  /** with --watch: how long a file must stand still before it is loaded */
  readonly settle?: string | number | undefined
  /** with --watch: keep, delete or move:FOLDER a file that is loaded */
  readonly done?: string | undefined
  /** with --watch: keep or move:FOLDER a file with rejects or that cannot be loaded */
  readonly failed?: string | undefined
  /** print JSON */
  readonly json?: boolean | undefined
  /** log only errors; short for --log-level error */
  readonly quiet?: boolean | undefined
  /** log entries of this level and above, on standard error */
  readonly logLevel?: 'error' | 'warn' | 'info' | 'debug' | undefined
  /** text for people, or one JSON object per line */
  readonly logFormat?: 'pretty' | 'json' | undefined
  /** number of sensors */
  readonly sensors?: string | number | undefined
  /** time between two records */
  readonly interval?: string | number | undefined
  /** time of the first record, in the time zone */
  readonly start?: string | undefined
  /** IANA time zone */
  readonly timezone?: string | undefined
  /** folder for the files */
  readonly dir?: string | undefined
  /** seed of ids and values */
  readonly seed?: string | number | undefined
  /** number of messages */
  readonly count?: string | number | undefined
  /** share of events that no consumer can load, 0 to 1 */
  readonly broken?: string | number | undefined
  /** share of events that repeat an earlier one, 0 to 1 */
  readonly duplicates?: string | number | undefined
  /** output file, one event per line */
  readonly toFile?: string | undefined
  /** measure the triggers of the table too: on a copy and rolled back, but what they do outside of the database stays */
  readonly withTriggers?: boolean | undefined
  /** database whose table --table the model describes */
  readonly fromTable?: string | undefined
  /** file to write, which must not exist (default: print it) */
  readonly output?: string | undefined
  /** messages are notifications of S3: load the objects that they name, below s3://BUCKET/FOLDER/; repeatable */
  readonly s3Events?: string | readonly (string)[] | undefined
  /** end when the queue is empty */
  readonly untilEmpty?: boolean | undefined
  /** end after this many batches */
  readonly batches?: string | number | undefined
  /** end when no message has arrived for this long */
  readonly idleTimeout?: string | number | undefined
  /** consumers in this process, each with its own database sessions */
  readonly concurrency?: string | number | undefined
  /** publish open chunks again, from the files and the plans of this producer */
  readonly republishMissing?: boolean | undefined
  /** only of this load: the beginning of its id, or its file, of which all loads are meant */
  readonly load?: string | undefined
  /** only with this code */
  readonly code?: string | undefined
  /** only of this column of the model */
  readonly column?: string | undefined
  /** only with this text in the record or the reason */
  readonly search?: string | undefined
  /** include replayed and discarded ones */
  readonly all?: boolean | undefined
  /** most entries to list */
  readonly limit?: string | number | undefined
  /** start after this reject */
  readonly after?: string | number | undefined
  /** only numbers by code and column */
  readonly summary?: boolean | undefined
  /** the corrected record; '-' reads it from standard input */
  readonly record?: string | undefined
  /** a new file instead of standard output; records with other columns go to more files beside it */
  readonly out?: string | undefined
  /** put an apostrophe before cells that a spreadsheet would read as formulas; this changes the records */
  readonly excelSafe?: boolean | undefined
  /** print the JSON schema of the configuration file, for editors */
  readonly schema?: boolean | undefined
  /** remove what is older, for example 90d, 12h or 8w */
  readonly olderThan?: string | undefined
  /** rejects, letters: what was replayed or discarded; messages: keys of external messages, which may then be loaded again; loads: complete loads, whose files may then be loaded again */
  readonly what?: string | undefined
  /** open rejects and dead letters too; they are discarded */
  readonly open?: boolean | undefined
}

export type LoadSettings = Pick<
  AllSettings,
  | 'to'
  | 'queue'
  | 'model'
  | 'pipeline'
  | 'create'
  | 'carry'
  | 'root'
  | 'state'
  | 'format'
  | 'records'
  | 'unwrap'
  | 'encoding'
  | 'delimiter'
  | 'header'
  | 'headerRows'
  | 'skipLines'
  | 'footerLines'
  | 'comment'
  | 'quote'
  | 'escape'
  | 'multiline'
  | 'trim'
  | 'ragged'
  | 'blankLines'
  | 'lineEnd'
  | 'decimal'
  | 'thousands'
  | 'dateFormat'
  | 'null'
  | 'money'
  | 'round'
  | 'excelText'
  | 'name'
  | 'table'
  | 'key'
  | 'onConflict'
  | 'zone'
  | 'columns'
  | 'types'
  | 'deferIndexes'
  | 'skipWhen'
  | 'allowRejects'
  | 'ignoreExtra'
  | 'dedupKey'
  | 'maxAttempts'
  | 'messageAttempts'
  | 'batchAttempts'
  | 'retryPause'
  | 'setAside'
  | 'dryRun'
  | 'limit'
  | 'append'
  | 'replace'
  | 'ended'
  | 'rotated'
  | 'again'
  | 'fresh'
  | 'readAll'
  | 'consumers'
  | 'chunkBytes'
  | 'batchMessages'
  | 'startTimeout'
  | 'http'
  | 'httpToken'
  | 'httpName'
  | 'httpLinger'
  | 'stallAfter'
  | 'watch'
  | 'settle'
  | 'done'
  | 'failed'
  | 'json'
  | 'quiet'
  | 'logLevel'
  | 'logFormat'
>

export type ConsumeSettings = Pick<
  AllSettings,
  | 'to'
  | 'queue'
  | 's3Events'
  | 'model'
  | 'pipeline'
  | 'create'
  | 'root'
  | 'state'
  | 'format'
  | 'records'
  | 'unwrap'
  | 'encoding'
  | 'delimiter'
  | 'header'
  | 'headerRows'
  | 'skipLines'
  | 'footerLines'
  | 'comment'
  | 'quote'
  | 'escape'
  | 'multiline'
  | 'trim'
  | 'ragged'
  | 'blankLines'
  | 'lineEnd'
  | 'decimal'
  | 'thousands'
  | 'dateFormat'
  | 'null'
  | 'money'
  | 'round'
  | 'excelText'
  | 'table'
  | 'key'
  | 'onConflict'
  | 'zone'
  | 'columns'
  | 'types'
  | 'skipWhen'
  | 'allowRejects'
  | 'ignoreExtra'
  | 'dedupKey'
  | 'maxAttempts'
  | 'messageAttempts'
  | 'batchAttempts'
  | 'retryPause'
  | 'setAside'
  | 'untilEmpty'
  | 'batches'
  | 'idleTimeout'
  | 'concurrency'
  | 'batchMessages'
  | 'startTimeout'
  | 'http'
  | 'httpToken'
  | 'httpName'
  | 'httpLinger'
  | 'stallAfter'
  | 'json'
  | 'quiet'
  | 'logLevel'
  | 'logFormat'
>

export type ProduceSettings = Pick<
  AllSettings,
  | 'queue'
  | 'model'
  | 'pipeline'
  | 'create'
  | 'carry'
  | 'root'
  | 'state'
  | 'format'
  | 'records'
  | 'unwrap'
  | 'encoding'
  | 'delimiter'
  | 'header'
  | 'headerRows'
  | 'skipLines'
  | 'footerLines'
  | 'comment'
  | 'quote'
  | 'escape'
  | 'multiline'
  | 'trim'
  | 'ragged'
  | 'blankLines'
  | 'lineEnd'
  | 'decimal'
  | 'thousands'
  | 'dateFormat'
  | 'null'
  | 'money'
  | 'round'
  | 'excelText'
  | 'name'
  | 'skipWhen'
  | 'ignoreExtra'
  | 'again'
  | 'readAll'
  | 'chunkBytes'
  | 'startTimeout'
  | 'http'
  | 'httpToken'
  | 'httpName'
  | 'httpLinger'
  | 'stallAfter'
  | 'json'
  | 'quiet'
  | 'logLevel'
  | 'logFormat'
>
