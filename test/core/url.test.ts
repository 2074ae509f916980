import { expect, it } from 'vitest'
import { shownUrl } from '../../src/core/url.ts'

it.each([
  ['postgresql://me:secret@host/db?password=secret', 'postgresql://host/db'],
  ['amqp://me:p@secret@host/#secret', 'amqp://host/'],
  ['SQLITE:a.db?key=secret', 'sqlite:a.db'],
  ['me:secret@host', 'me:secret@host'],
  ['//me:secret@host', '(not a URL)'],
  ['secret', '(not a URL)'],
])('%s is shown as %s', (url, shown) => expect(shownUrl(url)).toBe(shown))
