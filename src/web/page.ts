/**
 * The page's files, by name; no path leads to any other file. They contain no data, so they need no token.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Route } from './server.ts'

const folder = fileURLToPath(new URL('./page/', import.meta.url))
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export const pageRoutes = (): Route[] =>
  readdirSync(folder).flatMap((name) => {
    const type = types[extname(name)]
    // v8 ignore next -- no other file lies there, but what an editor may leave
    if (type === undefined) return []
    const body = readFileSync(folder + name)
    const path = name === 'index.html' ? '/' : `/${name}`
    return [{ method: 'GET', path, to: 'all', answer: () => ({ status: 200, type, body }) }]
  })
