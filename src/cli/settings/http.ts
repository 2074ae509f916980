/** Options of all commands that serve the page. */
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { InvalidArgumentError, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { positive } from './options.ts'

export interface Address {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

export const anyPort: Address = { host: '127.0.0.1', port: 0 }

export interface AccessFlags {
  readonly http?: Address
  readonly httpToken?: string
  readonly httpName?: readonly string[]
}

/** Flags of all commands that can be observed while they run. */
export interface HttpFlags extends AccessFlags {
  /** In seconds; infinite until a signal comes. */
  readonly httpLinger?: number
  readonly stallAfter: number
}

const httpOption = (about: string) =>
  new Option('--http <address>', about).env('LADING_HTTP').argParser(address)

const accessOptions = () => [
  new Option(
    '--http-token <file>',
    'file with the token for clients on other machines (or LADING_HTTP_TOKEN)',
  ),
  new Option(
    '--http-name <name>',
    'another host name that browsers and Prometheus may use for this machine; repeatable',
  ).argParser((name: string, names: readonly string[] | undefined) => [...(names ?? []), name]),
]

export const httpOptions = () => [
  httpOption(
    'serve a page and metrics at [HOST:]PORT during the run; also /healthz and /readyz; the default host is 127.0.0.1',
  ),
  ...accessOptions(),
  new Option(
    '--http-linger [seconds]',
    'with --http, keep the page after the end of the run: for this long, or until Ctrl-C',
  )
    .preset('Infinity')
    .argParser(positive),
  new Option('--stall-after <seconds>', '/readyz fails after this long without progress while there is work')
    .default(20)
    .argParser(positive),
]

/** Of a page without a run. */
export const pageOptions = () => [
  httpOption('[HOST:]PORT of the page (default: any free port of this machine)'),
  ...accessOptions(),
]

function address(text: string): Address {
  const [, bracketed, name, digits] = /^(?:(?:\[([^\]]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed)))
    throw new InvalidArgumentError('Not PORT, HOST:PORT or [IPv6]:PORT.')
  return { host: bracketed ?? name ?? anyPort.host, port }
}

export function givenToken({ httpToken: path }: AccessFlags): string | undefined {
  const token = path === undefined ? process.env['LADING_HTTP_TOKEN'] : readToken(path)
  if (token !== undefined && !/^[\x21-\x7e]{16,1024}$/.test(token))
    throw new LadingError(
      'CONFIG_INVALID',
      'the token for --http must have 16 to 1024 visible ASCII characters',
    )
  return token
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new LadingError(
      'CONFIG_INVALID',
      `the token for --http cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  }
}
