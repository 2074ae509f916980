import { expect, it } from 'vitest'
import { violations } from './imports.ts'
import { readSources } from './sources.ts'

const check = (files: Record<string, string>) => violations(new Map(Object.entries(files)))

it('src/ keeps the import direction, has no circle, and leaves printing, the environment and exits to the command line', () => {
  const sources = readSources()
  expect(sources.size).toBeGreaterThan(5)
  expect(violations(sources)).toEqual([])
})

it('an import against the direction is named, in whatever form it is written', () => {
  const forms = [
    "import { a } from '../../sink/sink.ts'",
    "import type { a } from '../../sink/sink.ts'",
    "import '../../sink/sink.ts'",
    "export * from '../../sink/sink.ts'",
    "export type { a } from '../../sink/sink.ts'",
    "const a = () => import('../../sink/sink.ts')",
    "type A = typeof import('../../sink/sink.ts')",
  ]
  for (const form of forms) {
    expect(check({ 'src/format/csv/a.ts': form, 'src/sink/sink.ts': '' }), form).toEqual([
      'src/format/csv/a.ts (formats) imports src/sink/sink.ts (contract)',
    ])
  }
  expect(
    check({
      'src/format/csv/a.ts': "// import '../../sink/sink.ts'\nconst b = `import '../../sink/sink.ts'`",
    }),
  ).toEqual([])
})

it('adapters are closed to each other, and to the producer and the consumer', () => {
  const adapter = 'src/queue/sqs/sqs.ts'
  expect(
    check({
      [adapter]: "import './a.ts'\nimport '../queue.ts'",
      'src/queue/sqs/a.ts': '',
      'src/queue/queue.ts': '',
    }),
  ).toEqual([])
  expect(check({ [adapter]: "import '../embedded/embedded.ts'" })).toEqual([
    `${adapter} (adapter) imports src/queue/embedded/embedded.ts (adapter)`,
  ])
  expect(check({ 'src/producer/a.ts': "import '../queue/sqs/sqs.ts'" })).toEqual([
    `src/producer/a.ts (producer) imports ${adapter} (adapter)`,
  ])
  expect(check({ 'src/consumer/a.ts': "import '../sink/registry.ts'" })).toHaveLength(1)
})

it('the producer knows sources by their contract and their registry', () => {
  expect(
    check({ 'src/producer/a.ts': "import '../source/source.ts'\nimport '../source/registry.ts'" }),
  ).toEqual([])
  expect(check({ 'src/producer/a.ts': "import '../source/file/file.ts'" })).toEqual([
    'src/producer/a.ts (producer) imports src/source/file/file.ts (source adapters)',
  ])
})

it('a registry names an adapter, and loads it late', () => {
  const registry = 'src/queue/registry.ts'
  expect(
    check({ [registry]: "import type { A } from './sqs/sqs.ts'\nconst a = () => import('./sqs/sqs.ts')" }),
  ).toEqual([])
  expect(check({ [registry]: "import { a } from './sqs/sqs.ts'" })).toEqual([
    `${registry} imports src/queue/sqs/sqs.ts at once: use import()`,
  ])
})

it('an address is known at once, and imports no driver', () => {
  const [registry, address] = ['src/queue/registry.ts', 'src/queue/sqs/address.ts']
  expect(check({ [registry]: "import { sqs } from './sqs/address.ts'", [address]: '' })).toEqual([])
  expect(check({ [address]: "import '@aws-sdk/client-sqs'" })).toHaveLength(1)
  expect(check({ 'src/sink/postgres/a.ts': "import '../sqlite/address.ts'" })).toHaveLength(1)
})

it('a circle is named with its path, types included', () => {
  const files = {
    'src/core/a.ts': "import './b.ts'",
    'src/core/b.ts': "import './c.ts'",
    'src/core/c.ts': "import type { A } from './a.ts'",
  }
  expect(check(files)).toEqual(['circle: src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts'])
})

it('a driver stays in the folder of its adapter, or in the one that its queue and its sink share', () => {
  expect(
    check({
      'src/driver/postgres/a.ts': "import { Client } from 'pg'",
      'src/queue/postgres/a.ts': "import type { Client } from 'pg'\nimport '../../driver/postgres/a.ts'",
      'src/sink/postgres/a.ts': "import { Client } from 'pg'",
      'src/core/sqlite.ts': "import 'node:sqlite'",
    }),
  ).toEqual([])
  expect(check({ 'src/consumer/a.ts': "import type { Client } from 'pg'" })).toHaveLength(1)
  expect(check({ 'src/sink/postgres/a.ts': "import 'pg'", 'src/sink/redshift/a.ts': "import 'pg'" })).toEqual(
    ['src/sink/redshift/a.ts imports pg, which is for src/sink/postgres/ alone'],
  )
  expect(check({ 'src/sink/sqlite/a.ts': "import 'node:sqlite'" })).toHaveLength(1)
  expect(check({ 'src/cli/a.ts': "import 'left-pad'" })).toHaveLength(1)
})

it('only the command line exits, reads the environment or prints', () => {
  for (const use of [
    'process.exit(1)',
    'process.exitCode = 1',
    "process['env'].A",
    'const { env } = process',
    'console.log(1)',
  ]) {
    expect(check({ 'src/format/csv/a.ts': use }), use).toHaveLength(1)
    expect(check({ 'src/cli/a.ts': use }), use).toEqual([])
  }
})

it('a folder must say what is in it', () => {
  expect(check({ 'src/format/csv/utils/a.ts': '' })).toHaveLength(1)
  expect(check({ 'src/other/a.ts': '' })).toHaveLength(1)
  expect(check({ 'src/format/csv/a.ts': "import '../../../models/a.ts'" })).toEqual([
    'src/format/csv/a.ts imports models/a.ts, which lies outside src/',
  ])
})
