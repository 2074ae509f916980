import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expand } from '../../src/cli/settings/config/expand.ts'
import { expectError, Folder, header, record, records } from './run.ts'

const secret = 'CANARY p/w@?'

interface Shown {
  readonly paths?: readonly string[]
  readonly settings: readonly { readonly name: string; readonly value?: unknown; readonly origin?: string }[]
}

const settingOf = (out: string, name: string) =>
  (JSON.parse(out) as Shown).settings.find((each) => each.name === name)

describe.concurrent('a configuration file in the folder', () => {
  it.each([
    ['lading.config.json', '{"$schema": "./schema.json", "to": "sqlite:mine.db", "null": ["-", "n/a"]}'],
    ['lading.config.yaml', 'to: sqlite:mine.db\nnull: ["-", n/a]\n'],
    [
      'lading.config.ts',
      "import { defineConfig } from 'lading'\nconst to: string = 'sqlite:mine.db'\nexport default defineConfig({ to, null: ['-', 'n/a'] })\n",
    ],
    ['lading.config.mjs', "export default { to: 'sqlite:mine.db', null: ['-', 'n/a'], key: undefined }\n"],
  ])('%s is found, and said', async (name, content) => {
    await using folder = await Folder.make({ [name]: content, 'a.csv': 'n,m\n1,-\n2,n/a\n' })
    const run = await folder.lading('load', 'a.csv')
    expect(run.code, run.err).toBe(0)
    expect(run.err.split('\n')[0]).toBe(`settings from ${name}`)
    expect(folder.sql('SELECT count(*) AS n FROM a WHERE m IS NULL', 'mine.db')).toEqual([{ n: 2 }])
  })

  it('is one: of two, both are named; --config names one, and --no-config takes none', async () => {
    await using folder = await Folder.make({
      'lading.config.json': '{"to": "sqlite:json.db"}',
      'lading.config.yml': 'to: sqlite:yaml.db',
    })
    const to = async (...options: string[]) => {
      const { code, out, err } = await folder.lading('config', 'load', '--json', ...options)
      expect(code, err).toBe(0)
      return settingOf(out, 'to')?.value
    }
    const refused = await folder.lading('config', 'load')
    expectError(refused, 'CONFIG_INVALID', 78, 'lading.config.json', 'lading.config.yml', '--config')
    expect(await to('--config', 'lading.config.yml')).toBe('sqlite:yaml.db')
    expect(await to('--no-config')).toBe('sqlite:./lading.db')
  })

  it('of another folder has paths relative to that folder', async () => {
    const config = {
      to: 'sqlite:mine.db',
      queue: 'embedded:q.db?lease=9s',
      state: 's.db',
      pipelines: {
        all: { paths: ['in/*.csv'] },
        watched: { paths: 'in', table: 't', watch: true, done: 'move:done' },
        elsewhere: { to: 'nope', state: '/somewhere/s.db' },
      },
    }
    await using folder = await Folder.make({
      'etl/in/a.csv': records(2),
      'etl/c.json': JSON.stringify(config),
    })
    const run = await folder.lading('--config', 'etl/c.json', 'run', 'all')
    expect(run.code, run.err).toBe(0)
    expect(folder.rows('records', 'etl/mine.db')).toBe(2)
    const shown = await folder.lading('--config', 'etl/c.json', 'config', 'all', '--json')
    expect(['to', 'queue', 'state'].map((name) => settingOf(shown.out, name)?.value)).toEqual([
      'sqlite:./etl/mine.db',
      'embedded:./etl/q.db?lease=9s',
      './etl/s.db',
    ])
    const valuesOf = async (pipeline: string, ...names: readonly string[]) => {
      const { out } = await folder.lading('--config', 'etl/c.json', 'config', pipeline, '--json')
      return names.map((name) => settingOf(out, name)?.value)
    }
    expect(await valuesOf('watched', 'done')).toEqual(['move:./etl/done'])
    // What is no URL is refused where it is used, and what is a path from the root stays one.
    expect(await valuesOf('elsewhere', 'to', 'state')).toEqual(['nope', '/somewhere/s.db'])
  })

  it('sets no option that means something else in another command', async () => {
    await using folder = await Folder.make({
      'lading.config.json': JSON.stringify({ records: 'data[]', queue: 'embedded:q.db', all: true }),
    })
    const made = await folder.lading('generate', 'logins', '--count', '1')
    expect(made.out, made.err).toContain('logins.ndjson')
    expect((await folder.lading('generate', 'sensors', '--sensors', '1')).code).toBe(0)
  })
})

/** A list that is ten times as long as another. */
const aliases = (name: string, of: string) =>
  `${name}: &${name} [${Array.from({ length: 10 }, () => `*${of}`).join(', ')}]\n`

describe.concurrent('what is wrong with a configuration file', () => {
  it.each([
    ['c.json', `{"to": "${secret}"`, /c\.json:1:\d+: not valid JSON/],
    ['c.yaml', `to: [${secret}\n`, /c\.yaml:\d+:\d+: not valid YAML/],
    ['c.ts', `export default { to: '${secret} }\n`, /c\.ts.*: not valid TypeScript or JavaScript/],
    ['c.mjs', 'export const config = {}\n', /c\.mjs: its default export is no object/],
    ['c.json', '{"tabel": "x"}', /c\.json: there is no option tabel; did you mean table\?/],
    ['c.json', `{"to": {"url": "${secret}"}}`, /c\.json: to must be text or a number/],
    ['c.json', `{"null": [["${secret}"]]}`, /c\.json: null must be text or a number, or a list of them/],
    ['c.json', `{"consumers": "${secret}"}`, /c\.json: consumers: Not a whole number/],
    ['c.json', '{"to": "x://${NOT_SET}/"}', /c\.json: to: the environment variable NOT_SET is not set/],
    ['c.json', '{"to": "x://${not a name}/"}', /c\.json: to: .*a literal \$\{ is \$\$\{/],
    ['c.json', '{"to": "x://${file:none}/"}', /c\.json: to: the file cannot be read: ENOENT/],
    ['c.json', '{"pipelines": []}', /c\.json: pipelines must be an object/],
    [
      'c.json',
      '{"pipelines": {"p": {"command": "lod"}}}',
      /pipelines\.p\.command must be load, consume, produce/,
    ],
    ['c.json', '{"pipelines": {"p": ["a.csv"]}}', /c\.json: pipelines\.p must be an object of options/],
    [
      'c.json',
      '{"pipelines": {"p": {"paths": [5]}}}',
      /pipelines\.p\.paths must be text, or a list of texts/,
    ],
    [
      'c.json',
      '{"pipelines": {"p": {"command": "consume", "paths": "a.csv"}}}',
      /pipelines\.p\.paths: consume takes no paths/,
    ],
    ['c.json', '{"pipelines": {"p": {"concurrency": 2}}}', /pipelines\.p: load has no option concurrency/],
    [
      'c.json',
      '{"pipelines": {"p": {"tabel": "x"}}}',
      /pipelines\.p: load has no option tabel; did you mean table\?/,
    ],
    ['c.json', '{"pipelines": {"p": {"path": "a.csv"}}}', /load has no option path; did you mean paths\?/],
    ['c.yaml', 'to: sqlite:a.db\nto: sqlite:b.db\n', /c\.yaml:2:1: not valid YAML: DUPLICATE_KEY/],
    ['c.yaml', 'to: !!js/function sqlite:a.db\n', /c\.yaml:1:5: not valid YAML: TAG_RESOLVE_FAILED/],
    [
      'c.yaml',
      `a: &a [1]\n${aliases('b', 'a')}${aliases('c', 'b')}${aliases('d', 'c')}`,
      /c\.yaml: not valid YAML: too many aliases/,
    ],
    ['c.toml', 'to = "x"\n', /c\.toml: not valid JSON; other files end with \.yaml, \.ts or \.js/],
  ])('%s %s is told by file and key, without the value', async (name, content, fault) => {
    await using folder = await Folder.make({ [name]: content, 'a.csv': records(1) })
    const words = content.includes('pipelines') ? ['run', 'p'] : ['load', 'a.csv']
    const run = await folder.lading(...words, '--config', name)
    expectError(run, 'CONFIG_INVALID', 78, fault)
    expect(run.err).not.toContain('CANARY')
  })
})

it('a pipeline has a name that a command line and a log can hold', async () => {
  await using folder = await Folder.make({ 'c.json': '{"pipelines": {"a b": {"paths": "a.csv"}}}' })
  expectError(
    await folder.lading('run', 'a b', '--config', 'c.json'),
    'CONFIG_INVALID',
    78,
    'pipelines.a b: the name of a pipeline is letters, digits, _, . and -',
  )
})

it('an option that is given again goes on', async () => {
  await using folder = await Folder.make()
  const names = ['--http-name', 'a.example', '--http-name', 'b.example']
  const { out, err } = await folder.lading('config', 'consume', '--json', ...names)
  expect(settingOf(out, 'httpName')?.value, err).toEqual(['a.example', 'b.example'])
})

it('the schema of a configuration file knows every option', async () => {
  await using folder = await Folder.make()
  const { out } = await folder.lading('config', '--schema')
  expect(JSON.parse(out)).toMatchObject({ properties: { to: {}, chunkBytes: {}, pipelines: {} } })
})

it('a configuration file of more than 1 MiB is refused', async () => {
  await using folder = await Folder.make({ 'c.yaml': `to: ${'a'.repeat(1024 * 1024)}\n` })
  expectError(
    await folder.lading('verify', '--config', 'c.yaml'),
    'CONFIG_INVALID',
    78,
    'c.yaml: larger than 1 MiB',
  )
})

describe('the text of a value', () => {
  const of = (template: string, variables: Readonly<Record<string, string>> = {}, file = secret) =>
    expand(template, {
      variable: (name) => variables[name],
      file: () => file,
      fault: (what) => new Error(what),
    })

  it('takes variables as they are, and encodes a file within a URL', () => {
    expect(of('${URL}', { URL: 'pg://me:a%20b@host' }).text).toBe('pg://me:a%20b@host')
    expect(of('${NONE:-sqlite:x.db}').text).toBe('sqlite:x.db')
    expect(of('${file:/run/secrets/whole}')).toEqual({ text: secret, isSecret: true })
    const { text } = of('pg://me:${file:/run/secrets/pg}@host/db')
    expect(decodeURIComponent(new URL(text).password)).toBe(secret)
    expect(() => of('x${NONE}')).toThrow('NONE')
    expect(() => of('x${')).toThrow('$${')
  })

  it('is the text of its parts, whatever they are', () => {
    const plain = fc.string().filter((text) => !text.includes('$'))
    const part = fc.oneof(
      plain.map((text) => [text, text] as const),
      fc.constant(['$${', '${'] as const),
      plain.map((text) => ['${V}'.concat(text), `value${text}`] as const),
      fc
        .string({ unit: fc.constantFrom('a', ':', '-', '{', ' ', '☃') })
        .map((text) => [`\${NONE:-${text}}`, text] as const),
    )
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const { text } = of(parts.map(([template]) => template).join(''), { V: 'value' })
        expect(text).toBe(parts.map(([, expected]) => expected).join(''))
      }),
    )
  })
})

describe.concurrent('lading config', () => {
  it('says of each setting where it comes from: flag, variable, pipeline, file, other variables, default', async () => {
    const config = {
      to: 'sqlite:top.db',
      table: 'top',
      encoding: 'utf-8',
      model: 'records',
      pipelines: { p: { paths: 'in', table: 'own', to: 'sqlite:own.db', encoding: 'latin1', consumers: 2 } },
    }
    await using folder = await Folder.make({ 'lading.config.json': JSON.stringify(config) })
    const env = { LADING_TO: 'sqlite:env.db', CSV_PARSER_DELIMITER: ';', POSTGRES_BATCH_UPSERT_SIZE: '7' }
    const run = await folder.run(['config', 'p', '--table', 'typed', '--json'], { env })
    expect(run.code, run.err).toBe(0)
    const pairs = ['table', 'to', 'encoding', 'consumers', 'model', 'batchMessages', 'queue'].map((name) => {
      const { value, origin } = settingOf(run.out, name) ?? {}
      return `${value} from ${origin}`
    })
    expect(pairs).toEqual([
      'typed from flag',
      'sqlite:env.db from LADING_TO',
      'latin1 from lading.config.json pipelines.p',
      '2 from lading.config.json pipelines.p',
      'records from lading.config.json',
      '7 from POSTGRES_BATCH_UPSERT_SIZE',
      'embedded:./.lading/queue.db from default',
    ])
    expect((JSON.parse(run.out) as Shown).paths).toEqual(['in'])
    const table = await folder.run(['config', 'p'], { env: { LADING_TO: 'sqlite:env.db' } })
    expect(table.out).toMatch(/^to +sqlite:env\.db +LADING_TO$/m)
    expect((await folder.lading('config', 'rejects', 'show')).out).toMatch(
      /^to +sqlite:top\.db +lading\.config\.json$/m,
    )
  })

  it('shows what was written, and not what was made of it', async () => {
    await using folder = await Folder.make({ 'lading.config.json': '{"date-format": ["DD.MM.YYYY"]}' })
    const { out } = await folder.lading('config', 'load', '--decimal', ',', '--decimal', 'price=.', '--json')
    expect(settingOf(out, 'dateFormat')?.value).toEqual(['DD.MM.YYYY'])
    expect(settingOf(out, 'decimal')?.value).toEqual([',', 'price=.'])
  })

  it('shows no secret, and neither does a run', async () => {
    await using folder = await Folder.make({
      pw: `${secret}\n`,
      'a.csv': header + record(1, 'x'),
      'lading.config.json': JSON.stringify({
        to: 'postgresql://me:${file:pw}@127.0.0.1:1/db',
        queue: 'amqp://me:CANARY@127.0.0.1:1/?queue=q',
        pipelines: { p: { paths: 'a.csv', name: '${file:pw}' } },
      }),
    })
    const runs = await Promise.all([
      folder.lading('config'),
      folder.lading('config', 'p', '--json'),
      folder.lading('run'),
      folder.lading('load', 'a.csv', '--start-timeout', '0.1'),
      folder.lading('verify'),
    ])
    for (const { out, err } of runs) expect(out + err).not.toContain('CANARY')
    expect(settingOf(runs[1]?.out ?? '', 'queue')?.value).toBe('amqp://me@127.0.0.1:1/?queue=q')
    expect(settingOf(runs[1]?.out ?? '', 'name')?.value).toBe('(secret)')
    expect(runs.map(({ code }) => code).slice(0, 3)).toEqual([0, 0, 0])
  })

  it('proposes the nearest of commands and pipelines', async () => {
    await using folder = await Folder.make()
    expectError(await folder.lading('config', 'verfy'), 'USAGE', 64, 'did you mean verify?')
    expectError(await folder.lading('config', 'rejects'), 'USAGE', 64, 'list, show')
  })
})
