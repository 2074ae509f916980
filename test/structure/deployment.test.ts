/**
 * What people copy and run without reading it: compose.yaml, .env.example, the Makefile and the pages that
 * explain them.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from './sources.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const all = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] as string))].sort()

const example = all(read('.env.example'), /^#?([A-Z_]+)=/gm)
const page = read('docs/coming-from/python-pipelines.md')
const variables = read('docs/reference/environment.md')

describe('the environment variables', () => {
  it('of compose.yaml stand in .env.example', () => {
    const used = all(read('compose.yaml'), /(?<!\$)\$\{([A-Z_]+)/g)
    expect(used).toContain('CONSUMER_REPLICAS')
    expect(used.filter((name) => !example.includes(name))).toEqual([])
  })

  it('that options come from stand in .env.example and are explained', () => {
    const used = all(
      read('src/cli/settings/environment.ts'),
      /'((?:(?:POSTGRES|RABBITMQ|TARGET_FILE|CSV_PARSER|GEN|AWS)_[A-Z_]+)|SQS_URL|PG_URL|LOG_LEVEL)'/g,
    )
    expect(used).toEqual(
      expect.arrayContaining(['GEN_TIMEZONE', 'SQS_URL', 'PG_URL', 'LOG_LEVEL', 'AWS_DEFAULT_REGION']),
    )
    expect(used.length).toBeGreaterThan(20)
    const known = [...example, 'CSV_PARSER_FILE_EXTENSION', 'AWS_REGION']
    expect(used.filter((name) => !known.includes(name))).toEqual([])
    expect(used.filter((name) => !variables.includes(`\`${name}\``))).toEqual([])
  })
})

it('the image is built from every file that the build names', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { build: string } }
  const configs = all(scripts.build, /-p (\S+)/g)
  expect(configs.length).toBeGreaterThan(1)
  for (const config of configs) {
    const folders = (JSON.parse(read(config).replace(/^ *\/\/.*$/gm, '')) as { include: string[] }).include
    for (const path of [config, ...folders]) expectInImage(path)
  }
  expect(scripts.build).toContain('rolldown -c')
  expectInImage('rolldown.config.ts')
})

function expectInImage(path: string): void {
  expect(read('Dockerfile')).toMatch(new RegExp(`^COPY .*(?<=\\s)${path}\\s`, 'm'))
  expect(read('.dockerignore').split('\n')).toContain(`!${path}`)
}

it('the Makefile has the targets that are promised, each of one command', () => {
  const recipes = read('Makefile').matchAll(/^([a-z_]+):.*(?:\n\t.*)*$/gm)
  const lines = new Map([...recipes].map(([recipe, name]) => [name as string, recipe.split('\n').length - 1]))
  const ofFiles =
    'build up down logs stats gen_csv_demo generate_csv_end_to_end_test setup_test_env teardown_test_env test'
  const promised = [...ofFiles.split(' '), 'start', 'run', 'awslocal_test']
  expect(promised.map((name) => [name, lines.get(name)])).toEqual(promised.map((name) => [name, 1]))
  expect(promised.filter((name) => !page.includes(name))).toEqual([])
  const help = spawnSync('make', ['help'], { cwd: root, encoding: 'utf8' })
  if (help.error === undefined)
    expect(promised.filter((name) => !new RegExp(`^${name} +\\S`, 'm').test(help.stdout))).toEqual([])
})

it('compose.yaml is what the specification of Compose says', () => {
  const require = createRequire(import.meta.url)
  const { default: Ajv } = require('ajv') as { default: new (options: object) => Validator }
  const path = join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json')
  const { $schema: _, ...schema } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const validator = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  const text = read('compose.yaml')
  validator.validate(schema, parse(text, { merge: true }))
  expect(validator.errors).toBeNull()
  validator.validate(schema, parse(text.replaceAll('cap_drop', 'cap_drops'), { merge: true }))
  expect(validator.errors).not.toBeNull()
})

interface Validator {
  validate(schema: object, data: unknown): boolean
  readonly errors: readonly object[] | null
}

// Without Docker Compose there is nothing to ask; a test that is skipped everywhere would only look like one.
if (spawnSync('docker', ['compose', 'version']).status === 0) {
  it('Docker Compose reads compose.yaml without a complaint', () => {
    for (const file of ['/dev/null', '.env.example']) {
      const args = ['compose', '--env-file', file, '--file', 'compose.yaml', 'config', '--quiet']
      const { status, stderr } = spawnSync('docker', args, { cwd: root, encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
  })
}
