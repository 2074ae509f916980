/**
 * What the API server of Kubernetes, KEDA and the Prometheus operator would say of an object: their published schemas, as
 * the packages kubernetes-models and @kubernetes-models/* have them, once compiled (values) and once as types (names of
 * fields, which the schemas leave open).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
}

const root = join(import.meta.dirname, '../..')

const packageOf = (apiVersion: string): string => {
  if (apiVersion.startsWith('keda.sh/')) return '@kubernetes-models/keda'
  return apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models'
}
const moduleOf = ({ apiVersion, kind }: Resource): string => `${packageOf(apiVersion)}/${apiVersion}/${kind}`

/** What is wrong with the values, one line for each fault. */
export async function faultsOfValues(resources: readonly Resource[]): Promise<readonly string[]> {
  const faults = resources.map(async (resource) => {
    const module = (await import(moduleOf(resource))) as Record<
      string,
      new (data: unknown) => { validate(): void }
    >
    const Model = module[resource.kind]
    if (Model === undefined) return [`there is no ${resource.apiVersion} ${resource.kind}`]
    try {
      new Model(resource).validate()
      return []
    } catch (error) {
      return [`${resource.kind} ${resource.metadata.name}: ${(error as Error).message}`]
    }
  })
  return (await Promise.all(faults)).flat()
}

/** What is wrong with names of fields: what the compiler says of fields that a type does not have. */
export function faultsOfFields(resources: readonly Resource[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'lading-resources-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const lines = resources.flatMap((resource, index) => [
      `import type { I${resource.kind} as T${index} } from '${moduleOf(resource)}'`,
      `export const a${index}: T${index} = ${JSON.stringify(resource)}`,
    ])
    writeFileSync(join(folder, 'resources.mts'), lines.join('\n'))
    const how = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024']
    const module = ['--module', 'nodenext', '--moduleResolution', 'nodenext']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, ...how, ...module, 'resources.mts'], {
      cwd: folder,
      encoding: 'utf8',
    })
    return []
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string }
    if (stdout === undefined) throw error
    return stdout.trim().split('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
