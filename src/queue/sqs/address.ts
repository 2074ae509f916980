/** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME?receivers=4` → where the queue is and how it is used. */
import type { Address as AnyAddress } from '../../core/address.ts'
import { LadingError } from '../../core/errors.ts'
import { isHost } from '../../core/url.ts'

export const sqs: AnyAddress = {
  schemes: ['https', 'http'],
  example: 'https://sqs.REGION.amazonaws.com/ACCOUNT/NAME',
  packages: ['@aws-sdk/client-sqs'],
  place: () => ({ writers: 'many' }),
}

export interface Address {
  /** As SQS gives it, without Lading's parameters. */
  readonly url: string
  readonly origin: string
  readonly name: string
  /** What an AWS host names; undefined of any other. */
  readonly region: string | undefined
  readonly isFifo: boolean
  /** Messages are asked for side by side, at most, while there are some. */
  readonly receivers: number
  /** Encrypted on the way. */
  readonly isPrivate: boolean
}

const defaultReceivers = 4
const mostReceivers = 32
const form = /^https?:\/\/[^/?#@]+\/[^?#@]+(\?[^#]*)?$/i
const queueName = /^[\w-]{1,75}(\.fifo|[\w-]{0,5})$/
/** Those of AWS, endpoints of a VPC, dual-stack and FIPS ones included. */
const awsHosts = [
  /(?:^|\.)sqs(?:-fips)?\.([a-z]{2}[a-z-]*-\d+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws)$/,
  /^([a-z]{2}[a-z-]*-\d+)\.queue\.amazonaws\.com(?:\.cn)?$/,
]
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = form.test(url) ? URL.parse(url) : null
  if (parts === null)
    throw usage('it is https://HOST/ACCOUNT/NAME, as SQS gives it, without user and password')
  if (!isHost(parts.hostname.replace(/^\[|\]$/g, ''))) throw usage('no host has such a name')
  const { receivers, ...others } = Object.fromEntries(parts.searchParams)
  if (Object.keys(others).length > 0) throw usage('it has an unknown parameter; there is receivers')
  const path = parts.pathname.replace(/\/+$/, '')
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (!queueName.test(name)) throw usage('its path ends with the name of the queue')
  return {
    url: parts.origin + path,
    origin: parts.origin,
    name,
    region: regionOf(parts.hostname),
    isFifo: name.endsWith('.fifo'),
    receivers: receivers === undefined ? defaultReceivers : countOf(receivers),
    isPrivate: parts.protocol === 'https:' || loopback.test(parts.hostname),
  }
}

/** For messages. */
export const shownQueue = ({ url }: Address): string => `queue ${url}`

/** The queue that an ARN names, which is in the same region as ours. */
export function siblingUrl({ url, name }: Address, arn: string): string | undefined {
  const [, , , , account, sibling] = arn.split(':')
  if (!account || !sibling) return undefined
  const folder = url.slice(0, -name.length - 1)
  return `${folder.slice(0, folder.lastIndexOf('/'))}/${account}/${sibling}`
}

function regionOf(host: string): string | undefined {
  for (const awsHost of awsHosts) {
    const region = awsHost.exec(host)?.[1]
    if (region !== undefined) return region
  }
  return undefined
}

function countOf(text: string): number {
  const count = Number(/^\d+$/.exec(text)?.[0])
  if (!(count >= 1 && count <= mostReceivers)) throw usage(`receivers is a number from 1 to ${mostReceivers}`)
  return count
}

const usage = (why: string): LadingError => new LadingError('USAGE', `the queue URL cannot be used: ${why}`)
