/**
 * The parameters of a model's public functions, as data, and a check of arguments against them. Types alone
 * are not enough: the command line strips them, and a misspelt option would be ignored.
 */
import { LadingError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'

/** What a value must be. */
interface Kind {
  /** Follows "is not" in a message. */
  readonly what: string
  readonly accepts: (value: unknown) => boolean
  readonly optional?: boolean
  /** The kinds of an object's options. */
  readonly options?: Readonly<Record<string, Kind>>
  /** The kind of a list's elements. */
  readonly items?: Kind
}

interface Signature {
  readonly parameters: readonly Kind[]
  /** The kind of any further arguments. */
  readonly rest?: Kind
  readonly example: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const anything: Kind = { what: 'a value', accepts: (value) => value !== undefined }
const text: Kind = { what: 'a text', accepts: (value) => typeof value === 'string' }
const number: Kind = { what: 'a number', accepts: (value) => typeof value === 'number' }
const scalar: Kind = {
  what: 'a text, a number, a bigint or a boolean',
  accepts: (value) => ['string', 'number', 'bigint', 'boolean'].includes(typeof value),
}
const callback: Kind = { what: 'a function', accepts: (value) => typeof value === 'function' }
const date: Kind = { what: 'a Date', accepts: (value) => value instanceof Date }
const mask: Kind = {
  what: 'a mask such as hmacSha256({ keys })',
  accepts: (value) =>
    isObject(value) && typeof value['apply'] === 'function' && typeof value['name'] === 'string',
}
const list = (items: Kind): Kind => ({ what: 'a list', accepts: Array.isArray, items })
const object = (options: Record<string, Kind>): Kind => ({
  what: 'an object with options',
  accepts: isObject,
  options,
})
const oneOf = (...values: string[]): Kind => ({
  what: `one of ${values.map((each) => `'${each}'`).join(', ')}`,
  accepts: (value) => values.includes(value as string),
})
const optional = (kind: Kind): Kind => ({
  ...kind,
  optional: true,
  accepts: (value) => value === undefined || kind.accepts(value),
})

const column: Kind = {
  what: 'a column type such as integer()',
  accepts: (value) => isObject(value) && isObject(value['spec']) && isObject(value['spec']['type']),
}
const zone = optional(object({ zone: optional(text) }))
const names = (example: string): Signature => ({ parameters: [], rest: text, example })
const nothing = (example: string): Signature => ({ parameters: [], example })

const signatures = {
  text: nothing('text()'),
  varchar: { parameters: [number], example: 'varchar(20)' },
  integer: nothing('integer()'),
  bigint: nothing('bigint()'),
  doublePrecision: nothing('doublePrecision()'),
  numeric: { parameters: [optional(number), optional(number)], example: 'numeric(12, 2)' },
  boolean: nothing('boolean()'),
  date: nothing('date()'),
  timestamp: nothing('timestamp()'),
  timestamptz: { parameters: [zone], example: "timestamptz({ zone: 'Europe/Berlin' })" },
  time: nothing('time()'),
  interval: nothing('interval()'),
  bytea: {
    parameters: [optional(object({ encoding: optional(oneOf('hex', 'base64')) }))],
    example: "bytea({ encoding: 'base64' })",
  },
  array: { parameters: [column], example: 'array(integer())' },
  enumeration: names("enumeration('open', 'closed')"),
  uuid: nothing('uuid()'),
  json: nothing('json()'),
  custom: { parameters: [text], example: "custom('inet')" },

  notNull: nothing('notNull()'),
  default: { parameters: [scalar], example: "default('EUR')" },
  from: { parameters: [text], rest: text, example: "from('Customer Name')" },
  nullIf: names("nullIf('', 'n/a')"),
  written: {
    parameters: [
      object({
        trim: optional(anything),
        nulls: optional(list(text)),
        decimal: optional(anything),
        thousands: optional(text),
        money: optional(anything),
        percent: optional(anything),
        round: optional(anything),
        pattern: optional(text),
        epoch: optional(oneOf('s', 'ms', 'us', 'excel')),
        excelText: optional(anything),
      }),
    ],
    example: "written({ decimal: ',', thousands: '.' })",
  },
  transform: { parameters: [callback], example: 'transform((text) => text.trim())' },
  mask: { parameters: [mask], example: 'mask(hmacSha256({ keys }))' },
  generated: {
    parameters: [oneOf('recordKey', 'processedAt', 'processedOn'), zone],
    example: "generated('processedOn', { zone: 'Europe/Berlin' })",
  },

  btree: names("btree('column')"),
  unique: names("unique('column')"),
  brin: names("brin('column')"),
  hash: { parameters: [text], example: "hash('column')" },

  defineModel: {
    parameters: [
      object({
        table: text,
        schema: optional(text),
        columns: { what: 'an object of columns', accepts: isObject },
        primaryKey: optional(list(text)),
        indexes: optional(list(anything)),
        onConflict: optional(oneOf('error', 'skip', 'update', 'merge')),
        version: optional(text),
        skipWhen: optional(object({})),
        where: optional(callback),
        derive: optional(object({})),
        validate: optional(callback),
      }),
    ],
    example: 'defineModel({ table, columns: { id: bigint().notNull() } })',
  },
  decodeRecord: {
    parameters: [anything, object({}), optional(object({ key: optional(text), at: optional(date) }))],
    example: "decodeRecord(model, { id: '1' })",
  },
  userLogins: {
    parameters: [object({ mask, zone: optional(text) })],
    example: 'userLogins({ mask: hmacSha256({ keys }) })',
  },

  // The code that uses the keys checks them, and never shows one.
  hmacSha256: {
    parameters: [object({ keys: list(anything) })],
    example: "hmacSha256({ keys: [maskKeyFromFile('k1', PATH)] })",
  },
  sha256: nothing('sha256()'),
  redact: { parameters: [optional(text)], example: "redact('***')" },
  partial: {
    parameters: [
      optional(object({ keepFirst: optional(number), keepLast: optional(number), with: optional(text) })),
    ],
    example: 'partial({ keepLast: 4 })',
  },
} satisfies Record<string, Signature>

export type Call = keyof typeof signatures

/** Where to find what people look for among the options. */
const elsewhere: Readonly<Record<string, string>> = {
  notnull: '.notNull()',
  nullable: '.notNull(); without it a column may be NULL',
  required: '.notNull()',
  default: '.default(value)',
  from: ".from('Field Name')",
  nullif: ".nullIf('n/a')",
  transform: '.transform((text) => …)',
  mask: '.mask(mask)',
  format: ".written({ pattern: 'DD.MM.YYYY' })",
  trim: '.written({ trim: true })',
  primary: "primaryKey: ['column'] of the model",
  unique: "indexes: [unique('column')] of the model",
  tz: 'zone',
  timezone: 'zone',
}

export const exampleOf = (call: Call): string => signatures[call].example

export const isCall = (name: string): name is Call => Object.hasOwn(signatures, name)

/** Problems with the arguments, each prefixed with the function's name. */
export const misuses = (call: Call, given: readonly unknown[]): readonly string[] =>
  argumentProblems(call, given).map((problem) => `${call}: ${problem}`)

/** Problems with the arguments, without the function's name. */
export function argumentProblems(call: Call, given: readonly unknown[]): readonly string[] {
  const { parameters, rest, example }: Signature = signatures[call]
  const problems = parameters.flatMap((kind, index) => [...kindProblems('', kind, given[index], example)])
  for (const value of given.slice(parameters.length)) {
    if (rest !== undefined) problems.push(...kindProblems('', rest, value, example))
    else if (isObject(value)) problems.push(...Object.keys(value).map((option) => unknownOption(option, [])))
    else problems.push(`${shown(value)} is one argument too many (write ${example})`)
  }
  return problems
}

/** Throws `MODEL_INVALID` for invalid arguments. */
export function requireUse(call: Call, given: readonly unknown[]): void {
  const problems = misuses(call, given)
  if (problems.length > 0) throw new LadingError('MODEL_INVALID', problems.join('; '))
}

function* kindProblems(name: string, kind: Kind, value: unknown, example: string): Generator<string> {
  if (!kind.accepts(value)) {
    const problem = value === undefined ? 'is missing' : `${shown(value)} is not ${kind.what}`
    yield name === '' ? `${problem} (write ${example})` : `${name} ${problem}`
  } else if (kind.items !== undefined && Array.isArray(value)) {
    for (const each of value) yield* kindProblems(name, kind.items, each, example)
  } else if (kind.options !== undefined && isObject(value))
    yield* optionProblems(kind.options, value, example)
}

function* optionProblems(
  options: Readonly<Record<string, Kind>>,
  given: Record<string, unknown>,
  example: string,
): Generator<string> {
  const known = Object.keys(options)
  if (known.length > 0)
    for (const name of Object.keys(given)) if (!known.includes(name)) yield unknownOption(name, known)
  for (const name of known) yield* kindProblems(name, options[name] as Kind, given[name], example)
}

function unknownOption(name: string, known: readonly string[]): string {
  const near = elsewhere[name.toLowerCase()] ?? nearest(name, known)
  if (near !== undefined) return `there is no option ${name} (did you mean ${near}?)`
  return `there is no option ${name}${known.length === 0 ? '' : ` (there is ${known.join(', ')})`}`
}

const mostShown = 40

/** How a message quotes a value. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return `'${value.length > mostShown ? `${value.slice(0, mostShown)}…` : value}'`
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`.slice(0, mostShown)
  if (typeof value === 'object' && value !== null)
    return value instanceof Date ? 'a Date' : `{ ${Object.keys(value).join(', ')} }`.replace('{  }', '{}')
  return String(value)
}
