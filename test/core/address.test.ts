import { expect, it } from 'vitest'
import { type Adapter, openBy } from '../../src/core/address.ts'

const importing = (name: string, packages?: readonly string[]): Adapter<unknown, undefined> => ({
  schemes: ['far'],
  example: 'far://host',
  place: () => ({ writers: 'many' }),
  ...(packages && { packages }),
  open: () => import(name),
})

it('a driver that is not installed is named, with what installs it', async () => {
  const adapters = [importing('@nobody/has-this', ['@nobody/core', '@nobody/has-this'])]
  await expect(openBy(adapters, 'queue', 'far://host', undefined)).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
    message: expect.stringContaining('npm install @nobody/core @nobody/has-this'),
  })
})

it('a package that is missing and belongs to no driver is no advice to install one', async () => {
  const adapters = [importing('@nobody/has-that', ['@nobody/has-this'])]
  await expect(openBy(adapters, 'queue', 'far://host', undefined)).rejects.toMatchObject({
    code: 'ERR_MODULE_NOT_FOUND',
  })
})
