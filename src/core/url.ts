import { isIP } from 'node:net'

/**
 * Splits a URL into its scheme, in lower case, and what follows the colon; undefined without a scheme. Never
 * print the rest: it may contain a password.
 */
export function splitScheme(url: string): { readonly scheme: string; readonly rest: string } | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(url)?.[0]
  return scheme === undefined
    ? undefined
    : { scheme: scheme.toLowerCase(), rest: url.slice(scheme.length + 1) }
}

/** A URL without user, password and query, which may hold secrets. Text that is not a URL is never shown. */
export function shownUrl(url: string): string {
  const parts = splitScheme(url)
  if (parts === undefined) return '(not a URL)'
  const scheme = `${parts.scheme}:`
  const rest = parts.rest.split(/[?#]/)[0] as string
  if (!rest.startsWith('//')) return scheme + rest
  const [authority = '', ...path] = rest.slice(2).split('/')
  return `${scheme}//${[authority.slice(authority.lastIndexOf('@') + 1), ...path].join('/')}`
}

/** Whether the text is an IP address or a valid DNS name (RFC 1035: labels of 1 to 63 bytes, 253 in all). */
export function isHost(text: string): boolean {
  if (isIP(text.split('%')[0] as string) !== 0) return true
  return text.length <= 254 && /^([^\s\0./%]{1,63}\.)*[^\s\0./%]{1,63}\.?$/.test(text)
}

/**
 * A URL that may be kept: without password, and without parameters that hold one. Undefined where it cannot be
 * told what the password is, because it holds a character that it should not.
 */
export function urlWithoutPassword(url: string): string | undefined {
  const [, scheme = '', user, rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)(?:([^@/?#]*)@)?(.*)$/is.exec(url) ?? [
    '',
    '',
    undefined,
    url,
  ]
  if (scheme !== '' && rest.includes('@')) return undefined
  const [place = '', ...queries] = rest.split('?')
  const kept = queries
    .join('?')
    .split('&')
    .filter((each) => each !== '' && !secretName.test(each.split('=')[0] as string))
  const name = user?.split(':')[0]
  return `${scheme}${name === undefined ? '' : `${name}@`}${place}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
}

/** Names of parameters whose values open what is behind a URL, or sign it. */
export const secretName = /pass|pwd|secret|token|key|sig|credential|auth|jwt/i
