/** The page in a real browser: what a person sees and does, and what hostile data cannot do. */
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { Folder, header, record, records } from '../cli/run.ts'
import { startChromium } from '../../tooling/servers/chromium.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { Fixture } from '../support/fixture.ts'
import { startSite, Visitor } from './site.ts'

/** What overflows depends on the width, and what can be read on the colours: none of the styles asks for both. */
const looks = [
  { width: 375, dark: true },
  { width: 768, dark: false },
  { width: 1280, dark: true },
]
const views = ['#/', '#/loads', '#/rejects', '#/dead']

/**
 * Markup, a script, an address, a terminal's escape, an end of a row, what turns the order of letters round,
 * and what nobody sees.
 */
const hostile = [
  '<script>document.title="owned"</script>',
  '<img src=x onerror="document.title=1">',
  '</td></tr></table><iframe src=//evil.example>',
  'javascript:alert(1)',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u202egpj.exe\u202c',
  'zero\u200bwidth\ufeff',
  "=cmd|' /C calc'!A0",
  '{{7*7}}${7*7}',
]
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
const hostileCsv =
  header + hostile.map((text) => `2021-01-01T00:00:00Z,${cell(text)},${cell(text)}\n`).join('')

/** Where CI is set there has to be one. */
const found = await startChromium().catch((error: unknown) => {
  if (process.env['CI'] || !(error instanceof Unavailable)) throw error
  process.stderr.write(`\nTESTS THAT NEED CHROMIUM ARE SKIPPED: ${error.message.toUpperCase()}\n\n`)
  return undefined
})
const withoutBrowser = found === undefined
const browser = found as Browser
afterAll(() => found?.close())

describe.skipIf(withoutBrowser)('the page', () => {
  it('lets in whoever has the token, and nobody else; the token stays in no address', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3), token: 'a-token-of-some-length\n' })
    await using site = await startSite(folder, ['consume', '--http-token', 'token'])
    expect(site.page).toBe(site.url)
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByLabel('Token').fill('a-wrong-one-of-some-length')
    await page.keyboard.press('Enter')
    await page.getByText('Wrong token.').waitFor()
    expect(await page.getByText('Running for').isVisible()).toBe(false)
    await page.getByLabel('Token').fill('a-token-of-some-length')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name: 'Idle' }).waitFor()
    await folder.lading('produce', 'a.csv')
    await page.getByRole('heading', { name: 'Complete' }).waitFor()
    await page.getByRole('cell', { name: 'complete' }).waitFor()
    expect(visitor.requests.filter((url) => url.includes('of-some-length'))).toEqual([])
    // The wrong token, and the questions before the right one.
    expect(visitor.complaints.every((each) => each.includes('401'))).toBe(true)
  })

  it('opens by the address that the run says, which is not kept', async () => {
    await using folder = await Folder.make()
    await using site = await startSite(folder, ['consume'])
    await using visitor = await Visitor.come(browser, site.page)
    await visitor.page.getByRole('heading', { name: 'Idle' }).waitFor()
    expect(visitor.page.url()).toBe(`${site.url}/#/`)
    expect(visitor.requests.join()).not.toContain('token')
    await visitor.page.reload()
    await visitor.page.getByRole('heading', { name: 'Idle' }).waitFor()
    visitor.expectCalm(site)
  })

  it('says that the run has ended, shows how it stood, and comes back with it', async () => {
    await using folder = await Folder.make({ 'a.csv': records(5), token: 'a-token-of-some-length\n' })
    const args = (port: string) => ['consume', '--http-token', 'token', '--http', `127.0.0.1:${port}`]
    const site = await startSite(folder, args('0'))
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByLabel('Token').fill('a-token-of-some-length')
    await page.keyboard.press('Enter')
    await folder.lading('produce', 'a.csv')
    await page.getByRole('heading', { name: 'Complete' }).waitFor()
    await page.getByRole('cell', { name: 'complete' }).waitFor()
    await site.end()
    await page
      .getByText(
        /^The run has ended\. This page shows how it stood at \d\d:\d\d:\d\d\. To look on: lading ui$/,
      )
      .waitFor()
    expect(await page.getByRole('heading', { name: 'Stopped' }).isVisible()).toBe(true)
    await page.getByText('by SIGTERM; nothing that was begun is left').waitFor()
    // No alarm, however often the page looks whether another run has come.
    expect(await page.locator('body.lost').count()).toBe(0)
    await using again = await startSite(folder, args(new URL(site.url).port))
    expect(again.url).toBe(site.url)
    await page.getByRole('heading', { name: 'Idle' }).waitFor()
    expect(await page.locator('#connection').textContent()).toBe('')
    // It knows the load of the run before by its receipt.
    await page.getByRole('link', { name: 'Loads' }).click()
    await page.getByRole('cell', { name: 'complete' }).waitFor()
    // One that is killed says nothing any more.
    await again.end('SIGKILL')
    await page.getByText(/^The run cannot be reached, and has not said that it ends: it was killed/).waitFor()
    expect(await page.locator('body.lost').count()).toBe(1)
  })

  it.each([
    ['what is waited for', '300', 'Waiting', /^SINK_UNAVAILABLE: .* attempt \d+\)$/],
    ['that nothing moves', '1', 'Stalled', /^nothing was committed, settled or published for \d+ s/],
  ])('says %s', async (_, stallAfter, heading, text) => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    const to = 'postgresql://me:hunter2@127.0.0.1:1/db'
    const waiting = ['consume', '--to', to, '--start-timeout', '300', '--stall-after', stallAfter]
    await using site = await startSite(folder, waiting)
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByRole('heading', { name: heading }).waitFor()
    await page.getByText(text).waitFor()
    expect(await page.content()).not.toContain('hunter2')
  })

  it('shows hostile cells as text, and nothing that they would do is done', async () => {
    const long = 'x'.repeat(70_000)
    const csv = `${hostileCsv}2021-01-01T00:00:00Z,${cell(`${long}<b>`)},no\n`
    await using folder = await Folder.make({ '<img src=x onerror=alert(1)>.csv': csv })
    await using site = await startSite(folder, ['consume', '--allow-rejects'])
    await folder.lading('produce', '.')
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByRole('link', { name: 'Rejects' }).click()
    const rows = page.locator('#rejects-table tbody tr')
    await expect.poll(() => rows.count()).toBe(hostile.length + 1)
    const detail = page.getByRole('article')
    for (let n = 1; n <= hostile.length + 1; n++) {
      await page.getByRole('button', { name: String(n), exact: true }).click()
      await detail.getByRole('heading', { name: `Reject ${n}`, exact: true }).waitFor()
      const shown = (await detail.getByRole('region', { name: 'Record' }).textContent()) ?? ''
      // oxlint-disable-next-line no-control-regex
      expect(shown).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e\u200b\ufeff]/)
      const [text] = hostile.slice(n - 1)
      if (text?.startsWith('<') === true) expect(shown).toContain(text.replaceAll('"', '""'))
      await page.getByRole('button', { name: 'Edit' }).click()
      // Of the last one only the beginning was kept, which has no cells.
      if (n <= hostile.length) await page.getByRole('button', { name: 'Edit as text' }).click()
      expect(await visitor.check('faults.js')).toEqual([])
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe(String(n))
    }
    await page.getByRole('button', { name: '6', exact: true }).click()
    await page.getByText('\\u202egpj.exe\\u202c').first().waitFor()
    expect(
      await page
        .locator('main script, main img, main iframe, dialog script, dialog img, dialog iframe')
        .count(),
    ).toBe(0)
    expect(await page.title()).toMatch(/lading consume$/)
    visitor.expectCalm(site)
  })

  it('replays a dead letter by click, and by keyboard alone; what cannot be replayed says why', async () => {
    await using folder = await Folder.make()
    const body = (id: number) => `{"record_time":"2021-01-01T00:00:00Z","sensor_id":"${id}","value":${id}}`
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      const bodies = [body(1), body(2), 'not JSON']
      await queue.publish(bodies.map((text) => ({ key: '', body: Buffer.from(text), headers: {} })))
    }
    expect((await folder.lading('consume', '--until-empty')).code).toBe(3)
    await using site = await startSite(folder, ['consume', '--dedup-key', 'field:sensor_id'])
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    const rows = page.locator('#dead-table tbody tr')
    await page.getByRole('link', { name: 'Dead letters' }).click()
    await expect.poll(() => rows.count()).toBe(3)
    await page.getByRole('button', { name: '1', exact: true }).click()
    expect(await page.getByRole('region', { name: 'Body' }).textContent()).toBe(body(1))
    await page.getByRole('button', { name: 'Indented' }).click()
    expect(await page.getByRole('region', { name: 'Body' }).textContent()).toBe(
      JSON.stringify(JSON.parse(body(1)), null, 2),
    )
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByText('1 replayed (loaded 1, rejected 0, skipped 0).').waitFor()
    await expect.poll(() => rows.count()).toBe(2)
    expect(folder.rows()).toBe(1)
    await page.getByRole('button', { name: 'Back to the list' }).click()
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Dead letters')

    // From the search into the list, down a row and up again, into one and out of it, then both are chosen.
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement.id')).toBe('dead-search')
    await page.getByRole('button', { name: '2', exact: true }).focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('3')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Dead letter 2' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('2')
    for (const n of [2, 3]) {
      await page.getByLabel(`Select dead letter ${n}`).focus()
      await page.keyboard.press('Space')
    }
    await page.getByRole('button', { name: 'Replay selected' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^1 replayed, 1 refused again/).waitFor()
    await expect.poll(() => rows.count()).toBe(1)
    expect(folder.rows()).toBe(2)
    visitor.expectCalm(site)
  })

  it('shows the caret under the cell, discards what was chosen, and replays what was mended, by click', async () => {
    const csv = `${header}2021-01-01T00:00:00Z,a,"many"\n2021-01-01T00:00:01Z,\u202eb\u4e2d,none\n2021-01-01T00:00:02Z,c\n`
    await using folder = await Folder.make({ 'a.csv': csv })
    expect((await folder.lading('load', 'a.csv')).code).toBe(3)
    expect((await folder.lading('rejects', 'edit', '1', '--record', '2021-01-01T00:00:00Z,a,1')).code).toBe(0)
    await using site = await startSite(folder, ['consume'])
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    // From the reason to its records.
    await page.getByRole('button', { name: 'BAD_NUMBER' }).click()
    await page.getByText('2 rejects', { exact: true }).waitFor()
    await page.getByRole('button', { name: '2', exact: true }).click()
    await expect.poll(() => page.locator('.record mark').textContent()).toBe('none')
    const [mark, caret] = [
      await page.locator('mark').boundingBox(),
      await page.locator('.caret').boundingBox(),
    ]
    expect(Math.abs((mark?.x ?? 0) - (caret?.x ?? -9))).toBeLessThan(1)
    await page.keyboard.press('Escape')

    await page.getByRole('link', { name: 'Rejects' }).click()
    const rows = page.locator('#rejects-table tbody tr')
    await expect.poll(() => rows.count()).toBe(3)
    await page.getByRole('button', { name: '1', exact: true }).click()
    await page.getByText('Corrected. The original record').waitFor()
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByText('1 replayed (loaded 1, rejected 0, skipped 0).').waitFor()
    await expect.poll(() => rows.count()).toBe(2)
    expect(folder.rows()).toBe(1)
    await page.getByLabel('Select all rejects on this page').check()
    await page.getByRole('button', { name: 'Discard selected' }).click()
    await page.getByRole('heading', { name: 'Discard 2 rejects?' }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Discard selected')
    expect(await rows.count()).toBe(2)
    await page.getByRole('button', { name: 'Discard selected' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Discard', exact: true }).click()
    await page.getByText('2 discarded.').waitFor()
    await page.getByText('No rejects: every record that was read could be loaded.').waitFor()
    expect(folder.sql('SELECT state FROM lading_reject ORDER BY id').map((row) => row['state'])).toEqual([
      'replayed',
      'discarded',
      'discarded',
    ])
    expect((await folder.lading('verify', '--allow-rejects')).code).toBe(0)
    visitor.expectCalm(site)
  })

  it('corrects a record where it is wrong, tells where it is wrong then, loads it, and undoes a correction', async () => {
    const csv = `${header}2021-01-01T00:00:00Z,"a ""b""","many"\r\n2021-01-01T00:00:01Z,c,x\r\n`
    await using folder = await Folder.make({ 'a.csv': csv })
    expect((await folder.lading('load', 'a.csv')).code).toBe(3)
    await using site = await startSite(folder, ['consume'])
    await using visitor = await Visitor.come(browser, site.page, { width: 375 })
    const { page } = visitor
    const focused = () => page.evaluate('document.activeElement.value ?? document.activeElement.textContent')
    await page.getByRole('link', { name: 'Rejects' }).click()
    await page.getByRole('button', { name: '1', exact: true }).click()
    await expect.poll(focused).toBe('Reject 1')
    await page.getByRole('button', { name: 'Edit' }).click()
    expect(await focused()).toBe('many')
    expect(await page.locator('[aria-invalid]').getAttribute('id')).toBe('edit-1-2')
    await page.keyboard.type('lots')
    await page.keyboard.press('Enter')
    await page.getByText(/^1 refused again \(BAD_NUMBER/).waitFor()
    await expect.poll(focused).toBe('lots')
    await page.keyboard.type('7')
    await page.keyboard.press('Enter')
    await page.getByText('1 replayed (loaded 1, rejected 0, skipped 0).').waitFor()
    await expect.poll(focused).toBe('Reject 1')
    expect(folder.sql('SELECT sensor_id, value FROM records')).toEqual([{ sensor_id: 'a "b"', value: 7 }])
    const edited = 'SELECT CAST(edited AS TEXT) AS text FROM lading_reject WHERE id ='
    expect(folder.sql(`${edited} 1`)).toEqual([{ text: '2021-01-01T00:00:00Z,"a ""b""","7"' }])

    await page.getByRole('button', { name: 'Next reject' }).click()
    await expect.poll(focused).toBe('Reject 2')
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByRole('button', { name: 'Edit as text' }).click()
    expect(await page.evaluate('getSelection().toString()')).toBe('x')
    await page.keyboard.type('8')
    await page.keyboard.press('Escape')
    await page.getByText('The changes are not saved. Cancel drops them.').waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved. The original is kept.').waitFor()
    expect(folder.sql(`${edited} 2`)).toEqual([{ text: '2021-01-01T00:00:01Z,c,8' }])
    await page.getByRole('button', { name: 'Undo the correction' }).click()
    await page.getByText('The original record is back.').waitFor()
    expect(folder.sql(`${edited} 2`)).toEqual([{ text: '2021-01-01T00:00:01Z,c,x' }])
    await page.goBack()
    await expect.poll(focused).toBe('Reject 1')
    await page.goBack()
    await expect.poll(() => page.getByRole('article').isVisible()).toBe(false)
    expect(await page.getByText('1 reject', { exact: true }).isVisible()).toBe(true)
    visitor.expectCalm(site)
  })

  it('replays and discards all that a filter finds, not only what it shows', async () => {
    const bad = Array.from({ length: 250 }, (_, n) => record(1, `bad${n}`)).join('')
    await using folder = await Folder.make({ 'a.csv': `${header}${bad}yesterday,a,1\n` })
    expect((await folder.lading('load', 'a.csv', '--allow-rejects')).code).toBe(0)
    await using site = await startSite(folder, ['consume'])
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByRole('link', { name: 'Rejects' }).click()
    await page.getByText('1–100 of 251 rejects').waitFor()
    await page.getByRole('combobox', { name: 'Code' }).selectOption('BAD_NUMBER')
    await page.getByText('1–100 of 250 rejects').waitFor()
    for (const [name, outcome] of [
      ['Replay', /^250 refused again \(BAD_NUMBER/],
      ['Discard', /^250 discarded\.$/],
    ] as const) {
      await page.getByLabel('Select all rejects on this page').check()
      await page.getByRole('button', { name: 'Select all 250 that match' }).click()
      await page.getByRole('button', { name: `${name} selected` }).click()
      if (name === 'Discard') {
        await page.getByRole('heading', { name: 'Discard 250 rejects?' }).waitFor()
        await page.getByRole('dialog').getByRole('button', { name }).click()
      }
      await page.getByText(outcome).waitFor()
    }
    await page.getByText('No matches.').waitFor()
    await page.getByRole('combobox', { name: 'State' }).selectOption('discarded')
    await page.getByText('1–100 of more').waitFor()
    expect(folder.sql("SELECT count(*) AS n FROM lading_reject WHERE state = 'open'")).toEqual([{ n: 1 }])
    visitor.expectCalm(site)
  })

  it('is readable in light and dark, wide and on a phone: nothing overflows, everything has a label and enough contrast', async () => {
    await using folder = await Folder.make({
      'a-rather-long-name-of-a-file-that-somebody-gave-without-a-space.csv':
        records(40) + hostileCsv.slice(header.length),
    })
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      await queue.publish([
        { key: 'x'.repeat(100), body: Buffer.from('hello'), headers: { 'a-header': 'y'.repeat(300) } },
      ])
    }
    await using site = await startSite(folder, ['consume', '--allow-rejects'])
    await folder.lading('produce', '.')
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    const check = async (what: string) => {
      for (const { width, dark } of looks) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
        const faults = await visitor.check('faults.js')
        expect(faults, `${what}, ${width} wide, ${dark ? 'dark' : 'light'}`).toEqual([])
      }
    }
    await page.getByRole('heading', { name: 'Complete' }).waitFor()
    for (const view of views) {
      await page.goto(`${site.url}/${view}`)
      await page.locator('table:visible tbody tr').first().waitFor()
      await check(view)
      await page.locator('tbody button.plain:visible').first().click()
      await page.locator('dialog[open], .detail:visible .facts').first().waitFor()
      await check(`one of ${view}`)
      const edit = page.getByRole('button', { name: 'Edit' })
      if (await edit.isVisible()) {
        await edit.click()
        await check('the editor')
        await page.keyboard.press('Escape')
      }
      await page.keyboard.press('Escape')
    }
    visitor.expectCalm(site)
  })

  it('is told to who does not see it: what there is, how it is called, and what it holds', async () => {
    await using folder = await Folder.make({ 'a.csv': `${records(2)}2021-01-01T00:00:00Z,a,many\n` })
    await using site = await startSite(folder, ['consume', '--allow-rejects'])
    await folder.lading('produce', 'a.csv')
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByRole('heading', { name: 'Complete' }).waitFor()
    const chart = page.getByRole('slider', { name: 'Records per second: moment' })
    await chart.press('Home')
    await expect
      .poll(() => chart.getAttribute('aria-valuetext'))
      .toMatch(/^[\d:]{8}: loaded [\d,]+, rejected [\d,]+$/)
    await page.getByRole('button', { name: /^rejected/ }).click()
    expect(await page.locator('#throughput').getByRole('button', { pressed: true }).count()).toBe(1)
    await page.locator('#throughput summary').click()
    await page.locator('#throughput tbody tr').first().waitFor()
    await page.getByRole('link', { name: 'Rejects' }).click()
    await page.getByRole('button', { name: '1', exact: true }).click()
    await page.getByRole('button', { name: 'Edit' }).click()
    const tree = await page.getByRole('article').ariaSnapshot()
    expect(tree.slice(0, tree.indexOf('- term'))).toMatchInlineSnapshot(`
      "- article "Reject 1":
        - button "Back to the list"
        - button "Previous reject": ‹
        - button "Next reject": ›
        - heading "Reject 1" [level=2]
        - text: open
        - paragraph: a.csv:4
        - status
        - paragraph: Not a decimal number in value
        - paragraph: "\\"many\\" is not a number"
        - paragraph: "What to do: use digits, a point and an exponent; other forms: written(), --decimal, --thousands; NaN and Infinity are refused (see nullIf)."
        - form "Record of reject 1":
          - text: record_time
          - textbox "record_time": 2021-01-01T00:00:00Z
          - text: sensor_id
          - textbox "sensor_id": a
          - text: value
          - textbox "value" [invalid]: many
          - paragraph: not a decimal number
          - status
          - paragraph:
            - button "Save and replay"
            - button "Save"
            - button "Cancel"
            - button "Edit as text"
        "
    `)
    visitor.expectCalm(site)
  })

  it('finds one of 10,000 rejects, page by page and by search, and does not hold them all', async () => {
    const bad = (n: number) => `2021-01-01T00:00:00Z,s${n % 97},bad${n}\n`
    await using folder = await Folder.make({
      'a.csv': header + Array.from({ length: 10_000 }, (_, n) => bad(n + 1)).join(''),
    })
    const load = await folder.lading('load', 'a.csv', '--allow-rejects')
    expect(load.code, load.err).toBe(0)
    await using site = await startSite(folder, ['consume'])
    await using visitor = await Visitor.come(browser, site.page)
    const { page } = visitor
    await page.getByRole('link', { name: 'Rejects' }).click()
    const rows = page.locator('#rejects-table tbody tr')
    await page.getByText('1–100 of 10,000 rejects').waitFor()
    expect(await rows.count()).toBe(100)
    await page.getByRole('button', { name: 'Next page' }).click()
    await page.getByText('101–200 of 10,000 rejects').waitFor()
    await page.getByRole('button', { name: 'Previous page' }).click()
    await page.getByText('1–100 of 10,000 rejects').waitFor()
    await page.getByRole('searchbox').fill('BAD9999')
    await page.keyboard.press('Enter')
    await page.getByText('1 reject', { exact: true }).waitFor()
    await page.getByRole('button', { name: '9999', exact: true }).click()
    await expect.poll(() => page.locator('.record').textContent()).toContain('bad9999')
    visitor.expectCalm(site)
  })
})

describePostgres('the page of a load', () => {
  it.skipIf(withoutBrowser)(
    'shows it moving, waits with it, and shows it complete although the run is over then',
    async () => {
      await using fixture = await Fixture.open('postgres')
      const { url } = fixture.target
      const lines = Array.from({ length: 150_000 }, (_, n) => `${n + 1},note ${n + 1}\n`)
      await using folder = await Folder.make({ 'numbers.csv': `id,note\n${lines.join('')}` })
      const model = join(import.meta.dirname, '../support/model.ts')
      const args = [
        'load',
        'numbers.csv',
        '--model',
        model,
        '--to',
        url,
        '--consumers',
        '1',
        '--chunk-bytes',
        '20000',
        '--batch-messages',
        '1',
      ]
      // A lock in the middle of it, so that whoever looks has time to.
      const pg = (await import('pg')).default
      const holder = new pg.Client({ connectionString: url })
      await holder.connect()
      await (await fixture.sink()).prepare((await import('../support/model.ts')).numbers)
      await holder.query(`SELECT pg_advisory_lock(1);
        CREATE FUNCTION half() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
        CREATE TRIGGER half BEFORE INSERT ON numbers FOR EACH ROW WHEN (NEW.id = 75000) EXECUTE FUNCTION half()`)
      const site = await startSite(folder, args)
      await using visitor = await Visitor.come(browser, site.page)
      const { page } = visitor
      await page.getByRole('heading', { name: 'Loading' }).waitFor()
      await page.getByText(/of 150,000 records · [\d,]+ left/).waitFor()
      // What a screen reader is told while it loads: the state, when it changes, and no number.
      await page.evaluate(`globalThis.told = []
        for (const box of document.querySelectorAll('#overview [role=status]'))
          new MutationObserver(() => told.push(box.textContent)).observe(box, { subtree: true, childList: true, characterData: true })`)
      await page.waitForFunction('Number(document.querySelector("#progress").getAttribute("value")) > 0')
      await holder.end()
      await page.getByRole('heading', { name: 'Complete' }).waitFor()
      await page.getByText('The run has ended.').waitFor()
      await page.getByText('150,000 records of 1 load').waitFor()
      const told = await page.evaluate<string[]>('told')
      expect(told.length).toBeLessThan(8)
      expect(told.filter((text) => /\d{3}/.test(text))).toEqual([])
      expect(await page.locator('body.lost').count()).toBe(0)
      expect(visitor.complaints.filter((each) => !each.includes('ERR_CONNECTION_REFUSED'))).toEqual([])
      // Not asked to: in its last moment a process listens to no signal any more.
      expect(await site.ended).toBe(0)
    },
  )
})
