import { readFileSync } from 'node:fs'

export function version(): string {
  const file = new URL(import.meta.resolve('lading/package.json'))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
