/**
 * Bundles `src/` into few files, because a start takes half a millisecond for each file that it loads.
 * Dependencies stay packages, but for Commander, which every start needs, and YAML, which few do.
 */
import { cpSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type ChunkingContext,
  defineConfig,
  type OutputOptions,
  type Plugin,
  type RolldownOptions,
} from 'rolldown'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

/**
 * Files of modules that are needed together: each holds what its roots import, directly or not, and what no
 * file before it holds. The other modules (drivers, the page) are loaded late, and have files of their own.
 */
const files: readonly (readonly [engine: string, cli: string, roots: readonly string[]])[] = [
  ['core', 'cli', ['cli/main.ts']],
  ['engine', 'commands', globSync('cli/commands/*.ts', { cwd: source('') })],
  ['load', 'load', ['load/load.ts', 'model/values.ts', ...globSync('sink/sql/*.ts', { cwd: source('') })]],
  ['infer', 'infer', ['load/unmodelled.ts']],
]

const closures = new Map<string, ReadonlySet<string>>()

function closureOf(root: string, context: ChunkingContext): ReadonlySet<string> {
  const known = closures.get(root)
  if (known !== undefined) return known
  const found = new Set([source(root)])
  for (const id of found) for (const next of context.getModuleInfo(id)?.importedIds ?? []) found.add(next)
  closures.set(root, found)
  return found
}

const isOfCli = (id: string): boolean =>
  !id.startsWith('\0') && (!id.startsWith(source('')) || id.startsWith(source('cli/')))

/** The library needs nothing of the command line, so these do not lie in one file. */
function fileOf(id: string, context: ChunkingContext): string | null {
  if (id.includes('/node_modules/yaml/')) return 'yaml'
  const [engine, cli] =
    files.find(([, , roots]) => roots.some((root) => closureOf(root, context).has(id))) ?? []
  return (isOfCli(id) ? cli : engine) ?? null
}

/** `import … from 'node:util'` runs all getters of the module, and some load a lot; this does not. */
const builtins: Plugin = {
  name: 'builtins',
  resolveId: (id, importer) =>
    id.startsWith('node:') && importer?.startsWith('\0') === false ? { id: `\0${id}` } : null,
  load(id) {
    if (!id.startsWith('\0node:')) return null
    const name = id.slice(1)
    const exported = Object.keys(process.getBuiltinModule(name) ?? {}).map(
      (key) => `export const ${key} = part.${key}`,
    )
    return [`const part = process.getBuiltinModule('${name}')`, 'export default part', ...exported].join('\n')
  },
}

/** What is bundled and not ours; the helpers of compiled code come with the bundler. */
const bundled = ['commander', 'rolldown', 'yaml']

const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const texts = bundled.map(
      (name) =>
        `${name}\n\n${readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), 'utf8')}`,
    )
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join('\n\n') })
  },
}

/** The page is served as it is. */
const page: Plugin = {
  name: 'page',
  writeBundle: () => cpSync(source('web/page'), new URL('dist/page', import.meta.url), { recursive: true }),
}

const common = {
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  logLevel: 'warn',
  external: (id) => /^[@a-z]/.test(id) && !/^((commander|yaml)$|node:|@oxc-project\/runtime\/)/.test(id),
  transform: { target: 'es2024' },
  // What is not used of a part of Node goes.
  treeshake: { propertyReadSideEffects: false },
} satisfies RolldownOptions

const output = {
  dir: 'dist',
  sourcemap: true,
  sourcemapExcludeSources: true,
  chunkFileNames: '[name].js',
  comments: { legal: true, annotation: false, jsdoc: false },
} satisfies OutputOptions

/** A thread shares no module with its process and no compiled code, so it gets what it needs and no more. */
const thread = (name: string, path: string) => ({
  ...common,
  input: { [name]: source(path) },
  plugins: [builtins],
  output: { ...output, codeSplitting: false as const },
})

export default defineConfig([
  {
    ...common,
    input: { index: source('index.ts'), 'cli/main': source('cli/main.ts') },
    plugins: [builtins, licences, page],
    output: {
      ...output,
      cleanDir: true,
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [{ name: fileOf, debugName: 'files' }],
      },
    },
  },
  thread('writer-thread', 'sink/sqlite/writer-thread.ts'),
  thread('profile-thread', 'load/profile-thread.ts'),
])
