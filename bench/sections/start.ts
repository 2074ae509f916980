/** What a start costs: help, and files of one record, each loaded by a process of its own. */
import { join } from 'node:path'
import { records } from '../../src/model/shipped/records.ts'
import { type Context, measurable } from '../context.ts'
import type { Data } from '../data.ts'
import { ladingCommand, stateOf } from '../lading.ts'
import { resetTable, tableState } from '../postgres.ts'
import { type Command, type Cost, measure, together } from '../process.ts'
import { findPsql, findSqlite } from '../programs.ts'
import { copyScript, runScripts } from '../psql.ts'
import type { Table, Way } from '../rounds.ts'
import type { Section } from './section.ts'
import { importFiles, resetFile, stateOfFile } from './sqlite.ts'

export const start: Section = {
  name: 'start',
  heading: 'A start, and a file of one record',
  about: `Processes run one after the other, each of them whole: \`node -e 0\` is what Node itself takes. Each file holds one record, and a
process of its own loads it. \`sqlite3\` and \`psql\` are C programs that keep nothing besides the table; Lading writes a plan, a queue, a ledger and a
receipt.`,
  records: 20,
  sensors: [20],
  tables: async (context, { records: files }) => {
    const data = await context.data({ records: files, sensors: files })
    return [helpTable(files), sqliteTable(context, data), await postgresTable(context, data)]
  },
}

function helpTable(starts: number): Table {
  const way = (name: string, isLading: boolean, command: Command): Way => ({
    name,
    isLading,
    run: (folder) => inTurn(Array.from({ length: starts }, () => () => measure([command], folder))),
  })
  return {
    title: 'A process that loads nothing',
    unit: 'starts',
    records: starts,
    ways: [
      way('`node -e 0`', false, { role: 'node', program: process.execPath, args: ['-e', '0'] }),
      way('`lading --help`', true, ladingCommand('lading', ['--help'])),
    ],
    servers: [],
    reset: () => Promise.resolve(),
    state: () => Promise.resolve(undefined),
  }
}

function sqliteTable(context: Context, { files, records: number }: Data): Table {
  const file = join(context.temporary, 'start.db')
  const program = context.need('sqlite3', findSqlite(), 'sqlite3 .import (Debian: sqlite3)')
  const imports: Way = {
    name: '`sqlite3 .import`',
    isLading: false,
    run: (folder) =>
      inTurn(files.map((each) => () => importFiles(program?.path ?? '', file, [each], folder))),
  }
  return {
    title: 'Files of one record into a SQLite file',
    unit: 'files',
    records: number,
    ways: [...(program === undefined ? [] : [imports]), ...oneByOne(files, `sqlite:${file}`)],
    servers: [],
    reset: async () => resetFile(file),
    state: async () => stateOfFile(file),
  }
}

async function postgresTable(context: Context, { files, records: number }: Data): Promise<Table> {
  const server = await context.postgres()
  const program = context.need('psql', findPsql(), 'psql \\copy (Debian: postgresql-client)')
  const copies: Way = {
    name: '`psql \\copy`',
    isLading: false,
    run: (folder) => {
      const psql = { program: program as NonNullable<typeof program>, server }
      const copy = (file: string) => runScripts(psql, [copyScript('records', [file], 'CSV')], folder)
      return inTurn(files.map((file) => () => copy(file)))
    },
  }
  return {
    title: 'Files of one record into PostgreSQL',
    unit: 'files',
    records: number,
    ways: [...(program === undefined ? [] : [copies]), ...oneByOne(files, server.url)],
    servers: measurable(['PostgreSQL', server]),
    reset: () => resetTable(server.url, records),
    state: () => tableState(server.url, records),
  }
}

/** `lading load` of each file, with a model and by the table that is there. */
const oneByOne = (files: readonly string[], target: string): Way[] =>
  [
    ['--model', 'records'],
    ['--table', 'records'],
  ].map((flags) => ({
    name: `\`lading load ${flags.join(' ')}\``,
    isLading: true,
    run: (folder) => {
      const queue = ['--queue', `embedded:${join(folder, 'queue.db')}`, ...stateOf(folder)]
      const load = (file: string) => ladingCommand('load', ['load', file, '--to', target, ...flags, ...queue])
      return inTurn(files.map((file) => () => measure([load(file)], folder)))
    },
  }))

async function inTurn(steps: readonly (() => Promise<Cost>)[]): Promise<Cost> {
  const costs = []
  for (const step of steps) costs.push(await step())
  return together(costs)
}
