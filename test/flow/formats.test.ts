/** Files of every format load, reject, replay, travel and resume alike. */
import { describe } from 'vitest'
import { describePostgres } from '../../tooling/servers/database.ts'
import { describeFormat, describeLoad, type FileFormat } from './formats.ts'

const cells = (suffix: string, delimiter: string): FileFormat => ({
  suffix,
  record: (values) => Object.values(values).join(delimiter),
  file: (fields, records) => `${[fields.join(delimiter), ...records].join('\n')}\n`,
  headLines: 1,
  damaged: `150${delimiter}no"te`,
  damagedCode: 'BAD_QUOTE',
  marked: 'x7',
})

const ndjson: FileFormat = {
  suffix: 'ndjson',
  record: (values) => JSON.stringify(values),
  file: (_, records) => `${records.join('\n')}\n`,
  headLines: 0,
  damaged: '{"id":150,"note":"cut',
  damagedCode: 'BAD_JSON',
  marked: '"x7"',
}

const json: FileFormat = {
  ...ndjson,
  suffix: 'json',
  file: (_, records) => `[\n${records.join(',\n')}\n]\n`,
  headLines: 1,
  damaged: '{"id":150,"note":tru}',
}

const formats: readonly FileFormat[] = [cells('csv', ','), cells('tsv', '\t'), ndjson, json]

for (const format of formats) describeFormat(format)

describePostgres('PostgreSQL', () => {
  for (const format of formats) describe(`*.${format.suffix}`, () => describeLoad(format, 'postgres'))
})
