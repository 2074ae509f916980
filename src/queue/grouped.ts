/** Items in groups of at most so many and so many bytes; one that is larger is alone. In their order. */
export function* grouped<T>(
  items: Iterable<T>,
  bytesOf: (item: T) => number,
  mostItems: number,
  mostBytes: number,
): Generator<readonly T[]> {
  let group: T[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (group.length > 0 && (group.length >= mostItems || bytes + size > mostBytes)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(item)
    bytes += size
  }
  if (group.length > 0) yield group
}
