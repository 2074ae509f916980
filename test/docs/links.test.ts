/** No link between the pages leads nowhere. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchor } from '../../tooling/docs/page.ts'
import { root } from '../structure/sources.ts'

const paths = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...globSync('docs/**/*.md', { cwd: root }),
]
const prose = (path: string) => readFileSync(join(root, path), 'utf8').replaceAll(/^```[^]*?^```$/gm, '')

describe.each(paths)('%s', (path) => {
  it('links only to what is there', () => {
    const links = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string)
    expect(links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(path, link))).toEqual([])
  })
})

it('every page below docs/ is linked from another', () => {
  const linked = new Set(
    paths.flatMap((path) =>
      [...prose(path).matchAll(/\]\(([^)\s#]+)/g)].map(([, link]) =>
        relative(root, join(root, dirname(path), link as string)),
      ),
    ),
  )
  expect(paths.filter((path) => path.startsWith('docs/') && !linked.has(path))).toEqual([])
})

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', mark] = link.split('#')
  const path = file === '' ? from : join(dirname(from), file)
  if (!existsSync(join(root, path))) return false
  return mark === undefined || headings(path).includes(`#${mark}`) || prose(path).includes(`<a id="${mark}">`)
}

/** Headings with the same words get numbers. */
function headings(path: string): readonly string[] {
  const seen = new Map<string, number>()
  return [...prose(path).matchAll(/^#+ (.+)$/gm)].map(([, text]) => {
    const found = anchor((text as string).replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'))
    const times = seen.get(found) ?? 0
    seen.set(found, times + 1)
    return times === 0 ? found : `${found}-${times}`
  })
}
