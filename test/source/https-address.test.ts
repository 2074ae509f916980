import { expect, it } from 'vitest'
import { nameOf, parseAddress, urlIn } from '../../src/source/https/address.ts'

it('URLs that differ in a secret alone are two locations, each of which is found again', () => {
  const urls = ['1', '2'].map((key) => `https://host/file.csv?fileKey=${key}&part=1`)
  const shown = urls.map((url) => parseAddress(url).shown)
  expect(shown).toEqual([
    'https://host/file.csv?fileKey=***&part=1',
    'https://host/file.csv?fileKey=***&part=1#2',
  ])
  expect(shown.map((location) => parseAddress(location).url.href)).toEqual(urls)
  expect(urls.map((url) => parseAddress(url).shown)).toEqual(shown)
})

it('a URL without a secret is not taken for one with it', () => {
  parseAddress('https://host/open.csv?token=abc')
  expect(parseAddress('https://host/open.csv').url.href).toBe('https://host/open.csv')
})

it('a name that is not encoded as it should be is taken as it stands', () => {
  expect(nameOf(parseAddress('https://host/a%20b.csv'))).toBe('a b.csv')
  expect(nameOf(parseAddress('https://host/100%.csv'))).toBe('100%.csv')
})

it('a path leads to what is below its root, and to nothing else', () => {
  expect(urlIn('https://host/in', 'a/b.csv')).toBe('https://host/in/a/b.csv')
  for (const path of ['../b.csv', 'a/../../b.csv', '%2e%2e/b.csv', 'a%2Fb.csv', 'a%5cb.csv', 'a?b', 'a b'])
    expect(() => urlIn('https://host/in', path), path).toThrow(
      expect.objectContaining({ code: 'USAGE', message: 'the path leads elsewhere' }),
    )
})
