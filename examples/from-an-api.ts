// API_URL=https://shop.example/orders node examples/from-an-api.ts 2026-06-01
// Loads the orders of a day from an API that gives them in pages. The day is the name of the load: the same orders under
// the same name are loaded once, however often this runs.
import { load, openQueue, openSink } from 'lading'
import orders from './orders.ts'

const { API_URL = '', DATABASE_URL = 'sqlite:./orders.db' } = process.env
const [day = ''] = process.argv.slice(2)

interface Page {
  readonly orders: readonly object[]
  readonly next?: string
}

/** Each order as the API has it; the next page is asked for when this one has been kept. */
async function* ordersOf(first: string): AsyncGenerator<object> {
  for (let url: string | undefined = first; url !== undefined;) {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`the API answered ${answer.status}`)
    const page = (await answer.json()) as Page
    yield* page.orders
    url = page.next && new URL(page.next, url).href
  }
}

await using queue = await openQueue('memory:')
await using sink = await openSink(DATABASE_URL)
const { loadedNow, account } = await load({
  objects: ordersOf(`${API_URL}?day=${day}`),
  name: `orders of ${day}`,
  model: orders,
  // Orders have more fields than the table.
  ignoreExtra: true,
  queue,
  sink,
})
console.log(`${loadedNow} loaded, ${account.totals.rejected} rejected`)
