/** Requests to the server. */

export class NotAllowed extends Error {}

/** Timeouts in milliseconds; a replay takes longer than an answer. */
const answerMs = 10_000
const changeMs = 60_000

/** @param {string} path @returns {Promise<any>} Undefined if it does not exist. */
export const get = (path) => ask(path, { signal: AbortSignal.timeout(answerMs) })

/** @param {string} path @param {unknown} body @returns {Promise<any>} */
export const post = (path, body) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'lading-page': '1' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(changeMs),
  })

/** The browser then keeps the session cookie; the token itself is not stored. @param {string} token */
export async function login(token) {
  const { ok, status } = await fetch('login', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'lading-page': '1' },
  })
  if (ok) return undefined
  return status === 429 ? 'Too many wrong tokens: wait a minute.' : 'Wrong token.'
}

/** @param {string} path @param {RequestInit} options */
async function ask(path, options) {
  const response = await fetch(path, options)
  if (response.status === 401) throw new NotAllowed('a token is needed')
  if (response.status === 404) return undefined
  const isJson = response.headers.get('content-type') === 'application/json'
  const answer = isJson ? await response.json() : await response.text()
  if (response.ok) return answer
  throw new Error(isJson ? `${answer.code}: ${answer.message} (${answer.advice})` : answer.trim())
}
