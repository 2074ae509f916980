/**
 * The rules of docs/architecture.md on who may import whom, as data, and the checker that reads them.
 * Imports of types count as imports: a type that points the wrong way is a dependency all the same.
 */
import { posix } from 'node:path'
import { parseAst } from 'vitest/node'

interface Area {
  readonly name: string
  /**
   * The first that matches a path is its area. Files of one area may import each other where the group
   * captures the same text.
   */
  readonly files: RegExp
  readonly imports: readonly string[]
  /** Areas that are imported with `import()` alone, so that nobody loads a driver that he does not use. */
  readonly lazily?: readonly string[]
}

/** What the command and the library put together. */
const everything = [
  'config',
  'core',
  'format',
  'format registry',
  'source',
  'source registry',
  'model',
  'shipped models',
  'observe',
  'generate',
  'contract',
  'registry',
  'producer',
  'consumer',
  'infer',
  'review',
  'load',
  'doctor',
  'watch',
  'objects',
  'web',
]

const areas: readonly Area[] = [
  { name: 'config', files: /^src\/config\//, imports: [] },
  { name: 'core', files: /^src\/core\//, imports: [] },
  {
    name: 'format registry',
    files: /^src\/format\/(?:registry|reading)\.ts$/,
    imports: ['core', 'format', 'formats'],
  },
  { name: 'format', files: /^src\/format\/[^/]+\.ts$/, imports: ['core'] },
  { name: 'formats', files: /^src\/(format\/[^/]+)\//, imports: ['core', 'format'] },
  {
    name: 'source registry',
    files: /^src\/source\/registry\.ts$/,
    imports: ['core', 'source', 'source adapters', 'store'],
  },
  { name: 'source', files: /^src\/source\/[^/]+\.ts$/, imports: ['core'] },
  { name: 'store', files: /^src\/(source\/(?:s3|https))\//, imports: ['core', 'source'] },
  { name: 'source adapters', files: /^src\/source\/[^/]+\//, imports: ['core', 'source'] },
  { name: 'shipped models', files: /^src\/model\/shipped\//, imports: ['core', 'model'] },
  { name: 'model', files: /^src\/model\//, imports: ['core'] },
  { name: 'observe', files: /^src\/observe\//, imports: ['core'] },
  { name: 'generate', files: /^src\/generate\//, imports: ['core'] },
  {
    name: 'registry',
    files: /^src\/(queue|sink)\/registry\.ts$/,
    imports: ['core', 'model', 'contract', 'address', 'adapter'],
    lazily: ['adapter'],
  },
  { name: 'address', files: /^src\/((?:queue|sink)\/[^/]+)\/address\.ts$/, imports: ['core'] },
  { name: 'contract', files: /^src\/(queue|sink)\/[^/]+\.ts$/, imports: ['core', 'model'] },
  // What adapters of one database share, for it as a queue and as a sink: sessions, errors, the protocol.
  { name: 'driver', files: /^src\/(driver\/[^/]+)\//, imports: ['core'] },
  { name: 'sql', files: /^src\/sink\/sql\//, imports: ['core', 'model', 'contract'] },
  {
    name: 'adapter',
    files: /^src\/((?:queue|sink)\/[^/]+)\//,
    imports: ['core', 'model', 'observe', 'contract', 'driver', 'sql'],
  },
  {
    name: 'producer',
    files: /^src\/producer\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'observe',
      'contract',
    ],
  },
  {
    name: 'consumer',
    files: /^src\/consumer\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'observe',
      'contract',
    ],
  },
  {
    name: 'infer',
    files: /^src\/infer\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'contract',
      'producer',
      'consumer',
    ],
  },
  {
    name: 'review',
    files: /^src\/review\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'observe',
      'contract',
      'consumer',
    ],
  },
  {
    name: 'load',
    files: /^src\/load\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'observe',
      'contract',
      'producer',
      'consumer',
      'infer',
    ],
  },
  {
    name: 'doctor',
    files: /^src\/doctor\//,
    imports: [
      'core',
      'format',
      'format registry',
      'source',
      'source registry',
      'model',
      'contract',
      'registry',
      'producer',
      'infer',
      'load',
    ],
  },
  {
    name: 'watch',
    files: /^src\/watch\//,
    imports: ['core', 'format registry', 'source registry', 'model', 'contract', 'producer', 'load'],
  },
  {
    name: 'objects',
    files: /^src\/objects\//,
    imports: ['core', 'source registry', 'model', 'contract', 'producer', 'consumer', 'load'],
  },
  {
    name: 'web',
    files: /^src\/web\//,
    imports: ['core', 'format', 'format registry', 'model', 'observe', 'contract', 'consumer', 'review'],
  },
  { name: 'cli', files: /^src\/cli\//, imports: everything },
  { name: 'index', files: /^src\/index\.ts$/, imports: everything },
]

/**
 * Where a package may be imported. One that no line names is a driver: it belongs to the folder of one
 * adapter, or to the folders of one name in `queue/`, `sink/` and `driver/`.
 */
const packages: readonly { readonly name: RegExp; readonly only: RegExp }[] = [
  { name: /^prom-client$/, only: /^src\/observe\/metrics\.ts$/ },
  { name: /^commander$/, only: /^src\/cli\// },
  { name: /^yaml$/, only: /^src\/cli\// },
  { name: /^node:sqlite$/, only: /^src\/core\/sqlite\.ts$/ },
  { name: /^node:(process|console)$/, only: /^src\/cli\// },
  { name: /^node:/, only: /^src\// },
]

/**
 * What only the command line does: the library neither ends the process, nor reads the environment, nor
 * prints.
 */
const reserved = { names: /^process\.(exit|exitCode|env)$|^console\./, only: /^src\/cli\// }

const bannedFolders: readonly string[] = ['utils', 'helpers', 'common', 'types', 'interfaces']

/** Every violation in these files, one sentence each. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const graph = new Map<string, string[]>()
  const drivers = new Map<string, string>()
  for (const [path, text] of files) {
    const { imports, uses } = read(text)
    const targets = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map((one) => ({ ...one, path: resolve(path, one.specifier) }))
    graph.set(
      path,
      targets.map((target) => target.path),
    )
    found.push(
      ...placeFaults(path),
      ...targets.flatMap((target) => layerFaults(path, target.path, target.lazy)),
    )
    found.push(...imports.flatMap(({ specifier }) => packageFaults(path, specifier, drivers)))
    if (!reserved.only.test(path)) {
      found.push(
        ...uses
          .filter((use) => reserved.names.test(use))
          .map((use) => `${path} uses ${use}, which is for src/cli/ alone`),
      )
    }
  }
  return [...new Set([...found, ...circles(graph)])]
}

function placeFaults(path: string): string[] {
  const banned = path.split('/').find((folder) => bannedFolders.includes(folder))
  if (banned) return [`${path} lies in a folder named ${banned}, which says nothing of what is in it`]
  return areaOf(path) ? [] : [`${path} belongs to no area of test/structure/imports.ts`]
}

function layerFaults(from: string, to: string, lazy: boolean): string[] {
  if (!to.startsWith('src/')) return [`${from} imports ${to}, which lies outside src/`]
  const [source, target] = [areaOf(from), areaOf(to)]
  if (!source || !target) return []
  const isSameFolder = source.instance !== undefined && source.instance === target.instance
  if (isSameFolder || (source.area === target.area && source.instance === target.instance)) return []
  if (!source.area.imports.includes(target.area.name))
    return [`${from} (${source.area.name}) imports ${to} (${target.area.name})`]
  if (source.area.lazily?.includes(target.area.name) && !lazy)
    return [`${from} imports ${to} at once: use import()`]
  return []
}

/** `drivers`: the adapter of each driver that was met before. */
function packageFaults(path: string, specifier: string, drivers: Map<string, string>): string[] {
  if (specifier.startsWith('.')) return []
  const rule = packages.find(({ name }) => name.test(specifier))
  if (!rule) return driverFaults(path, specifier, drivers)
  return rule.only.test(path) ? [] : [`${path} imports ${specifier}, which is for ${rule.only.source} alone`]
}

const withDrivers: ReadonlySet<string> = new Set(['adapter', 'driver', 'store'])

function driverFaults(path: string, specifier: string, drivers: Map<string, string>): string[] {
  const { area, instance } = areaOf(path) ?? {}
  if (instance === undefined || !withDrivers.has(area?.name ?? ''))
    return [`${path} imports ${specifier}, for which test/structure/imports.ts names no place`]
  const owner = drivers.get(specifier) ?? instance
  drivers.set(specifier, owner)
  return posix.basename(owner) === posix.basename(instance)
    ? []
    : [`${path} imports ${specifier}, which is for src/${owner}/ alone`]
}

function areaOf(path: string): { area: Area; instance: string | undefined } | null {
  for (const area of areas) {
    const match = area.files.exec(path)
    if (match) return { area, instance: match[1] }
  }
  return null
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier)
}

/** Each circle once, as the path that leads back to its beginning. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push(`circle: ${[...trail.slice(start), path].join(' -> ')}`)
    if (start >= 0 || done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

interface Import {
  readonly specifier: string
  readonly lazy: boolean
}

type Node = Readonly<Record<string, unknown>>

/** What a file imports, in any form, and which members of `process` and `console` it uses. */
function read(text: string): { imports: Import[]; uses: string[] } {
  const imports: Import[] = []
  const uses: string[] = []
  walk(parseAst(text, { lang: 'ts' }), (node) => {
    const specifier = (node['source'] as Node | null | undefined)?.['value']
    if (typeof specifier === 'string') imports.push({ specifier, lazy: isLazy(node) })
    if (node['type'] === 'MemberExpression')
      uses.push(`${nameOf(node['object'])}.${nameOf(node['property'])}`)
    if (node['type'] === 'VariableDeclarator') uses.push(...destructured(node))
  })
  return { imports, uses }
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value) visit(value as Node)
  for (const child of Object.values(value)) walk(child, visit)
}

/** A type costs nothing at run time, so it may be named where the module itself must be loaded late. */
function isLazy(node: Node): boolean {
  const typeOnly = node['importKind'] === 'type' || node['exportKind'] === 'type'
  return typeOnly || node['type'] === 'ImportExpression' || node['type'] === 'TSImportType'
}

function destructured(declarator: Node): string[] {
  const properties = ((declarator['id'] as Node)['properties'] ?? []) as readonly Node[]
  return properties.map((property) => `${nameOf(declarator['init'])}.${nameOf(property['key'])}`)
}

function nameOf(node: unknown): string {
  const { name, value } = (node ?? {}) as Node
  if (typeof name === 'string') return name
  return typeof value === 'string' ? value : ''
}
