/** Long lists, a statement's worth at a time: the server takes statements of `max_allowed_packet` bytes at most. */

/** Far below the limit of any server, and long enough that a statement's own cost does not count. */
const mostLength = 256 * 1024

/** A longer item is alone. */
export function* inStatements(items: readonly string[]): Generator<string> {
  let list: string[] = []
  let length = 0
  for (const item of items) {
    if (list.length > 0 && length + item.length > mostLength) {
      yield list.join(', ')
      list = []
      length = 0
    }
    list.push(item)
    length += item.length
  }
  if (list.length > 0) yield list.join(', ')
}
