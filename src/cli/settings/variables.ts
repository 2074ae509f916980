/**
 * What each environment variable means that no option names itself (`.env()`), for docs/reference/environment.md.
 * Nothing reads it while lading runs.
 */

export interface Variable {
  readonly name: string
  /** What it stands for. */
  readonly option?: string
  readonly about: string
}

export interface Variables {
  readonly title: string
  readonly about: string
  readonly variables: readonly Variable[]
}

const one = (name: string, about: string, option?: string): Variable => ({
  name,
  about,
  ...(option !== undefined && { option }),
})

const secrets: Variables = {
  title: 'Secrets without an option',
  about:
    'A secret on the command line would stand in the process list. A file keeps it out of the environment, too.',
  variables: [
    one(
      'LADING_HTTP_TOKEN',
      'token for clients of `--http` on other machines; `--http-token FILE` reads it from a file',
    ),
    one(
      'LADING_MASK_KEY',
      'key of the HMAC that masks personal data in the model `user_logins`, at least 32 bytes',
    ),
    one('LADING_MASK_KEY_FILE', 'file with that key, in place of `LADING_MASK_KEY`'),
    one('LADING_MASK_KEY_ID', 'name of the key in masked values; default: k1'),
    one(
      'LADING_MASK_KEY_PREVIOUS',
      'the key before, while rows that were masked with it are still looked up',
    ),
    one('LADING_MASK_KEY_PREVIOUS_FILE', 'file with the key before'),
    one('LADING_MASK_KEY_PREVIOUS_ID', 'name of the key before; default: k1'),
  ],
}

const surroundings: Variables = {
  title: 'Terminal, editor and cache',
  about: '',
  variables: [
    one('NO_COLOR', 'turns colours off'),
    one('TERM', '`dumb` turns off the bars'),
    one('VISUAL', 'the editor of `lading rejects edit`'),
    one('EDITOR', 'the editor where `VISUAL` is not set'),
    one('XDG_CACHE_HOME', 'its folder `lading` keeps compiled code between starts; default: `~/.cache`'),
    one('NODE_COMPILE_CACHE', 'another folder for compiled code'),
    one('NODE_DISABLE_COMPILE_CACHE', '`1` keeps no compiled code'),
    one('NODE_EXTRA_CA_CERTS', 'file with further authorities to trust, for every TLS connection'),
    one('NODE_TLS_REJECT_UNAUTHORIZED', 'ignored with a warning: certificates are always checked'),
    one('TZ', 'changes no data: times in files have an offset, or a zone that the model states'),
  ],
}

const postgres: Variables = {
  title: 'PostgreSQL',
  about: 'For what the URL of `--to` does not say.',
  variables: [
    one('PGHOST', 'host, or folder of the socket'),
    one('PGPORT', 'port'),
    one('PGUSER', 'role; default: `USER`'),
    one('PGPASSWORD', 'password'),
    one('PGPASSFILE', 'file of passwords, in place of `~/.pgpass`'),
    one('PGDATABASE', 'database; default: the name of the role'),
    one('PGSSLMODE', 'mode of TLS, as `sslmode=` in the URL'),
    one('PGOPTIONS', 'settings of the session, such as `-c search_path=staging`'),
  ],
}

const sqs: Variables = {
  title: 'Amazon SQS',
  about: 'The AWS SDK reads these and its others. docs/sqs.md says in which order.',
  variables: [
    one('AWS_ACCESS_KEY_ID', 'key, with `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN`'),
    one('AWS_SECRET_ACCESS_KEY', 'its secret'),
    one('AWS_SESSION_TOKEN', 'token of a temporary key'),
    one('AWS_PROFILE', 'profile in `~/.aws`'),
    one('AWS_REGION', 'region, where the URL of the queue names none'),
    one('AWS_DEFAULT_REGION', 'region, where `AWS_REGION` is not set'),
    one('AWS_ENDPOINT_URL_SQS', 'where calls go instead of the host of the URL'),
    one('AWS_ENDPOINT_URL', 'the same, for all services'),
  ],
}

const traces: Variables = {
  title: 'Traces',
  about:
    'OpenTelemetry’s usual variables, as docs/observability.md explains. `OTEL_EXPORTER_OTLP_TRACES_…` wins over `OTEL_EXPORTER_OTLP_…`.',
  variables: [
    one('OTEL_EXPORTER_OTLP_ENDPOINT', 'address of the collector; turns traces on'),
    one('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'full address for traces; turns traces on'),
    one('OTEL_EXPORTER_OTLP_HEADERS', 'headers of each request, `name=value,name=value`'),
    one('OTEL_EXPORTER_OTLP_TIMEOUT', 'milliseconds for a request; default: 10000'),
    one('OTEL_EXPORTER_OTLP_PROTOCOL', 'anything but HTTP brings a warning; the body is always JSON'),
    one('OTEL_TRACES_EXPORTER', '`otlp` turns traces on, `none` off'),
    one('OTEL_SDK_DISABLED', '`true` turns traces off'),
    one('OTEL_SERVICE_NAME', 'name of the service; default: lading'),
    one('OTEL_RESOURCE_ATTRIBUTES', 'attributes of the resource, `name=value,name=value`'),
  ],
}

const replaced: Variables = {
  title: 'Of the pipelines that Lading replaces',
  about:
    'Read where neither an option, nor its `LADING_` variable, nor the configuration file says anything (src/cli/settings/environment.ts).',
  variables: [
    one('POSTGRES_HOST', 'host, or folder of the socket; default: localhost', '--to'),
    one('POSTGRES_PORT', 'port; default: 5432', '--to'),
    one('POSTGRES_USERNAME', 'role; default: postgres', '--to'),
    one('POSTGRES_PASSWORD', 'password; default: postgres', '--to'),
    one('POSTGRES_DATABASE', 'database; default: postgres', '--to'),
    one('PG_URL', 'the target as one URL', '--to'),
    one(
      'POSTGRES_BATCH_UPSERT_SIZE',
      'most messages in one transaction; a message of a file holds many records',
      '--batch-messages',
    ),
    one('RABBITMQ_HOST', 'host of the broker; default: localhost', '--queue'),
    one('RABBITMQ_PORT', 'port; default: 5672', '--queue'),
    one('RABBITMQ_USERNAME', 'user; default: guest', '--queue'),
    one('RABBITMQ_PASSWORD', 'password; default: guest', '--queue'),
    one('RABBITMQ_QUEUE_NAME', 'name of the queue; default: lading', '--queue'),
    one('RABBITMQ_SOCKET_TIMEOUT', 'time limit for connecting in seconds, at most 60', '--queue …?timeout='),
    one(
      'RABBITMQ_POLLING_TIMEOUT',
      'a consumer ends after so many seconds without a message; default: never',
      'consume --idle-timeout',
    ),
    one('SQS_URL', 'the queue as SQS shows its URL', '--queue'),
    one(
      'LOG_LEVEL',
      'DEBUG, INFO, WARNING, ERROR, CRITICAL (`error`), and names of other loggers',
      '--log-level',
    ),
    one('TARGET_FILE_DIR', 'folder of the files, where no path is given', 'PATH; generate sensors --dir'),
    one('TARGET_FILE_EXTENSION', 'which files below that folder', "'FOLDER/**/*.csv'"),
    one(
      'CSV_PARSER_FILE_EXTENSION',
      'the same, where `TARGET_FILE_EXTENSION` is not set',
      "'FOLDER/**/*.csv'",
    ),
    one('CSV_PARSER_DELIMITER', 'character between cells', '--delimiter'),
    one('GEN_NUM_SENSORS', 'number of sensors', 'generate sensors --sensors'),
    one('GEN_NUM_RECORDS', 'records of each', 'generate sensors --records'),
    one('GEN_START_DATE', 'time of the first record', 'generate sensors --start'),
    one('GEN_RECORD_INTERVAL', 'seconds between two records', 'generate sensors --interval'),
    one('GEN_TIMEZONE', 'time zone of the times', 'generate sensors --timezone'),
  ],
}

export const allVariables: readonly Variables[] = [secrets, surroundings, postgres, sqs, traces, replaced]
