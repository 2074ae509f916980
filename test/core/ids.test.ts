import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ids, Notes } from '../../src/core/ids.ts'

it('numbers ids in the order in which they came, as a Map does, however many there are', () => {
  const ids = fc.array(fc.uuid(), { maxLength: 300, size: 'max' })
  fc.assert(
    fc.property(ids, ids, (added, asked) => {
      const [set, map] = [new Ids(), new Map<string, number>()]
      for (const id of [...added, ...added.slice(5)]) {
        if (!map.has(id)) map.set(id, map.size)
        expect(set.add(id)).toBe(map.get(id))
      }
      expect([set.size, [...set]]).toEqual([map.size, [...map.keys()]])
      for (const id of asked) expect(set.indexOf(id)).toBe(map.get(id) ?? -1)
    }),
  )
})

it('tells ids apart by their last digit, and takes no other text for one', () => {
  const ids = new Ids()
  const id = randomUUID()
  const other = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`
  ids.add(id)
  expect([id, other].map((each) => ids.has(each))).toEqual([true, false])
  expect([ids.add(other), ids.at(0), ids.at(1)]).toEqual([1, id, other])
  for (const text of [
    '',
    id.toUpperCase().replace(/^./, 'A'),
    id.replaceAll('-', '_'),
    `${id} `,
    `-${id.slice(1)}`,
    id.replace('-', '0'),
  ])
    expect([text, ids.has(text)]).toEqual([text, false])
  expect(() => ids.add('x')).toThrow(TypeError)
})

it('notes keep a number of each id, in whatever order they come, and 0 of all others', () => {
  const index = fc.nat({ max: 1000 })
  fc.assert(
    fc.property(fc.array(fc.tuple(index, fc.nat({ max: 255 }))), fc.array(index), (set, asked) => {
      const map = new Map(set)
      for (const Values of [Uint8Array, Uint32Array]) {
        const notes = new Notes(Values)
        for (const [at, value] of set) notes.set(at, value)
        for (const at of [-1, ...asked, ...map.keys()]) expect(notes.at(at)).toBe(map.get(at) ?? 0)
      }
    }),
  )
})
