/**
 * docs/ as a site: `npm ci && npm run build` in this folder writes .vitepress/dist. The pages are those of the checkout, which
 * GitHub shows as well, so nothing in them is for this generator. They are copied into this folder first, because they become
 * modules, which look for the generator's packages above them. A link that leads nowhere fails the build.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { defineConfig } from 'vitepress'

const docs = join(import.meta.dirname, '../../docs')
/** The checkout on the web, where what is no page can be read. Without one, such links are plain text. */
const source = process.env['SITE_SOURCE']

/** The first heading says what a page is. */
const titleOf = (path: string): string =>
  /^# (.+)$/m.exec(readFileSync(join(docs, path), 'utf8'))?.[1]?.replaceAll('`', '') ?? path
const named = (paths: readonly string[]) =>
  paths.map((path) => ({ text: titleOf(path), link: `/${path.replace(/\.md$/, '')}` }))
const pages = (pattern: string, without: readonly string[] = []) =>
  named(
    globSync(pattern, { cwd: docs })
      .filter((path) => !without.includes(path))
      .toSorted(),
  )

const first = ['tutorial.md', 'formats.md', 'inference.md', 'models.md', 'rejects.md', 'guarantees.md']

export default defineConfig({
  title: 'Lading',
  description:
    'Loads files and queue messages into databases: fast, each record taking effect exactly once, with a receipt that proves it.',
  srcDir: 'pages',
  base: process.env['SITE_BASE'] ?? '/',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: true,
  ignoreDeadLinks: 'localhostLinks',
  lastUpdated: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      { text: 'Begin', items: named(first) },
      { text: 'How to', collapsed: false, items: pages('how-to/*.md') },
      { text: 'Coming from', collapsed: true, items: pages('coming-from/*.md') },
      { text: 'Explained', collapsed: false, items: pages('*.md', ['README.md', ...first]) },
      { text: 'Reference', collapsed: false, items: pages('reference/*.md') },
    ],
    ...(source === undefined ? {} : { socialLinks: [{ icon: 'github' as const, link: source }] }),
  },
  markdown: {
    config: (markdown) => {
      markdown.core.ruler.push('checkout', ({ tokens, env }) => {
        const { relativePath = '' } = env as { relativePath?: string }
        for (const { children } of tokens)
          for (const [at, token] of (children ?? []).entries()) {
            const href = token.type === 'link_open' ? (token.attrGet('href') ?? '') : ''
            const path = /^([a-z]+:|#|\/)/.test(href) ? '' : posix.join(posix.dirname(relativePath), href)
            if (!path.startsWith('../')) continue
            if (source !== undefined) token.attrSet('href', `${source}/blob/main/${path.slice(3)}`)
            else {
              const end = children?.findIndex(({ type }, index) => index > at && type === 'link_close') ?? at
              for (const link of [token, children?.[end]]) if (link) [link.type, link.tag] = ['text', '']
            }
          }
      })
    },
  },
})
