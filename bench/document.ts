/**
 * docs/benchmarks.md, rendered from bench/results. Change its words here or in the section.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { figuresOf, type Loss, lossesOf } from './figures.ts'
import { goalsText } from './goals.ts'
import { sectionNames } from './options.ts'
import { tableMarkdown, times } from './report.ts'
import type { Result, StoredTable } from './results.ts'
import { sections } from './sections/index.ts'
import type { Section } from './sections/section.ts'
import { capital } from './words.ts'

const docs = join(import.meta.dirname, '..', 'docs')
const documentPath = join(docs, 'benchmarks.md')

export function writeDocument(results: readonly Result[]): string {
  writeFileSync(documentPath, `${rendered(results)}\n`)
  return documentPath
}

function rendered(results: readonly Result[]): string {
  const texts = sectionNames.flatMap((name) => {
    const mine = results.filter(({ section }) => section === name)
    return mine.length === 0 ? [] : [sectionText(mine)]
  })
  return [
    preface,
    surroundings(results),
    `## In short\n\n${aims}\n\n${goalsText(results)}`,
    ...texts,
    lossesText(results),
    memoryText(results),
  ]
    .filter((text) => text !== '')
    .join('\n\n')
}

const preface = `# Benchmarks

<!-- Written by \`npm run bench\` from bench/results; change bench/document.ts or the sections in bench/sections instead. -->

    npm run bench                                       everything below, 3 interleaved rounds after a warm-up (none from 10,000,000 records on)
    npm run bench -- --targets brin --sensors 10        one section, and few large files
    npm run bench -- --targets messages --profile       where the time of lading's processes goes
    npm run bench -- --help

The benchmark starts a private PostgreSQL and a private RabbitMQ with their default durability. It loads the same records into the same
table in each way in turn, writes the measurements to \`bench/results\`, and renders this page from them. Each run must give the same rows
(their number, the sum of their hashes, and the indexes of the table), or the benchmark fails. It lists programs that are missing on the
machine.

- **Ratio**: how many rows in the same time as the first way of the table; the median of the ratios within each round. Rates depend on the
  machine and the hour: compare only ratios within a table.
- **Wall time** counts whole processes as users run them, including the start of Node (see the section on starts). For Lading it also counts what the
  others do not do: a durable queue with its own syncs to disk, reading each file to its end before anything is published, sha256, a check
  of every value, the ledger and the receipt.
- **Server CPU** is that of all processes of the server during the run. **Memory** is the largest process of each kind.`

const aims = `What Lading aims at on two cores; bold where it is reached. Without another word the figure is a ratio of rates in one run: how many
times as fast as the other program, or the part of its time. Where a section has several numbers of consumers, the best of them counts.`

/** One paragraph for each machine and number of rounds; results of a machine share the rest, or show both. */
function surroundings(results: readonly Result[]): string {
  const groups = Map.groupBy(results, ({ machine, rounds }) => JSON.stringify([machine, rounds]))
  return [...groups.values()]
    .map((group) => {
      const text = surroundingsOf(group)
      if (groups.size === 1) return text
      return `${[...new Set(group.map(({ section }) => `\`${section}\``))].join(', ')}: ${text}`
    })
    .join('\n\n')
}

function surroundingsOf(group: readonly Result[]): string {
  const [{ machine, rounds }] = group as [Result, ...Result[]]
  const place = `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}`
  const versions = merged(group.map((result) => result.versions)).map(([name, version]) =>
    shownVersion(name, version),
  )
  const settings = merged(group.map((result) => result.settings)).map(([name, value]) => `${name} ${value}`)
  const days = [...new Set(group.map(({ taken }) => taken))].sort()
  const taken = days.length === 1 ? days[0] : `${days[0]} to ${days.at(-1)}`
  const lines = [
    `${place}; medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${taken}.`,
    `${versions.join('; ')}.`,
    ...(settings.length === 0 ? [] : [`PostgreSQL's settings: ${settings.join(', ')}.`]),
  ]
  return lines.join('\n')
}

function merged(all: readonly Readonly<Record<string, string>>[]): [name: string, value: string][] {
  const values = new Map<string, Set<string>>()
  for (const [name, value] of all.flatMap((each) => Object.entries(each)))
    values.set(name, (values.get(name) ?? new Set()).add(value))
  return [...values].map(([name, each]) => [name, [...each].join(' or ')])
}

/** Most programs say their own name with their version. */
const shownVersion = (name: string, version: string): string =>
  version.toLowerCase().includes(name.toLowerCase())
    ? version
    : `${name === 'node' ? 'Node' : name} ${version}`

function sectionText(results: readonly Result[]): string {
  const section = sections[(results[0] as Result).section]
  const tables = results.flatMap(({ tables: all }) => all.map(tableText))
  const missing = [...new Set(results.flatMap((result) => result.missing))].map(
    (sentence) => `**${sentence}.**`,
  )
  const { heading, about, name } = section
  return [
    `## ${heading}`,
    `${about} (\`--targets ${name}\`)`,
    ...pictureText(section, results),
    ...missing,
    ...tables,
  ].join('\n\n')
}

/** Written beside the other pictures of the docs. */
function pictureText({ name, picture }: Section, results: readonly Result[]): string[] {
  if (picture === undefined) return []
  const { svg, alternative } = picture(results)
  writeFileSync(join(docs, 'images', `${name}.svg`), svg)
  return [`![${alternative}](images/${name}.svg)`]
}

function tableText(table: StoredTable): string {
  const faults = table.faults.map((fault) => `**Not the same rows: ${fault}.**`)
  return [`**${capital(table.title)}**`, tableMarkdown(table), ...table.notes, ...faults].join('\n\n')
}

function lossesText(results: readonly Result[]): string {
  const tables = results.flatMap((result) => result.tables)
  const items = tables
    .map((table) => ({ table, losses: lossesOf(table) }))
    .filter(({ losses }) => losses.length > 0)
  const texts = items.map(({ table, losses }) =>
    [`- ${capital(table.title)}`, ...losses.map(lossText)].join('\n'),
  )
  const text =
    texts.length === 0
      ? 'Nowhere, in these figures.'
      : `Every ratio below 1 against another program of the same table:\n\n${texts.join('\n')}`
  return `## Where Lading loses\n\n${text}`
}

const lossText = ({ peer, ways }: Loss): string =>
  `  - to ${peer.name}: ${ways.map(({ way, ratio }) => `${way.name} ${times(ratio)}`).join('; ')}`

/** The largest process of each role over all of lading's ways. */
function memoryText(results: readonly Result[]): string {
  const rows = results.flatMap(({ tables }) => tables.flatMap(memoryRow))
  if (rows.length === 0) return ''
  const about =
    'MiB of the largest process of each kind over all ways of Lading in a table, medians of the rounds.'
  return ['## Memory', about, ['| table | MiB |', '|---|---|', ...rows].join('\n')].join('\n\n')
}

function memoryRow(table: StoredTable): string[] {
  const largest: Record<string, number> = {}
  for (const { way, peaks } of figuresOf(table)) {
    if (!way.isLading) continue
    for (const [role, mib] of Object.entries(peaks)) largest[role] = Math.max(largest[role] ?? 0, mib)
  }
  const roles = Object.entries(largest).map(([role, mib]) => `${role} ${mib.toFixed(0)}`)
  return roles.length === 0 ? [] : [`| ${capital(table.title)} | ${roles.join(', ')} |`]
}
