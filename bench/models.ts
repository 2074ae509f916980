/** The models of the bench as a user's model is: a module that imports the package. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const sources = '../../src/index.ts'
export const installed = pathToFileURL(join(import.meta.dirname, '..', 'dist', 'index.js')).href

/**
 * A copy of a model of bench/models for `--model`. The models import the sources, so that the compiler checks
 * them without a build; to read the sources would cost each process a start of 60 ms that nobody pays who has
 * installed lading. They have no types of their own to take out, so that they are modules as they stand: a
 * module with types costs Node some 40 ms and 15 MiB in each process.
 */
export function userModel(name: 'records-brin' | 'events' | 'masked' | 'readings', folder: string): string {
  const text = readFileSync(join(import.meta.dirname, 'models', `${name}.ts`), 'utf8')
  if (!text.includes(`'${sources}'`)) throw new Error(`the model ${name} does not import ${sources}`)
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, text.replace(sources, installed))
  return path
}
