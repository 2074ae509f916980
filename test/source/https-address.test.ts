import { expect, it } from 'vitest'
import { parseAddress } from '../../src/source/https/address.ts'

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
