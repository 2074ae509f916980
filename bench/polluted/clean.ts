/** The clean file that all polluted ones are made of: orders of a shop, invented. */

export const header = [
  'order',
  'day',
  'time',
  'article',
  'description',
  'quantity',
  'price',
  'gift',
  'remark',
]

/** Records of the clean file. */
const count = 83

const things = [
  'Lamp, brass',
  'Chair "Elin", oak',
  'Kettle',
  'Shelf 3" deep, white',
  'Rug, 2 m',
  'Mirror',
  'Screws; zinc',
  'Curtain "Nord"',
  'Box, small, lidded',
  'Candle',
  'Clock 12"',
]
const remarks = ['', 'ring twice', '', '', 'leave with the neighbour, please', 'says "no rush"', '']

const two = (value: number): string => String(value).padStart(2, '0')

/** Nine cells of different kinds: numbers, dates, times, codes with leading zeros, texts, empty cells. */
function recordOf(index: number): string[] {
  const minutes = 480 + index * 7
  return [
    String(20_417 + index * 3),
    `2024-${two(1 + Math.floor(index / 28))}-${two(1 + (index % 28))}`,
    `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`,
    String((index * 7919) % 10_000).padStart(6, '0'),
    things[index % things.length] as string,
    index % 9 === 4 ? '' : String(1 + (index % 6)),
    (3 + ((index * 37) % 400) / 4).toFixed(2),
    index % 5 === 0 ? 'true' : 'false',
    remarks[index % remarks.length] as string,
  ]
}

export const records: readonly (readonly string[])[] = Array.from({ length: count }, (_, index) =>
  recordOf(index),
)
