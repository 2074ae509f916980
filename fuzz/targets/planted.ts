/** Faults on purpose: blindly, they are reached in hours, and one new branch at a time in seconds. */
import { Broken, type Input, type Target } from '../target.ts'

const shared = { options: 1, tokens: ['F', 'U', 'Z', ','] }

export const planted: Target = {
  ...shared,
  name: 'planted',
  seeds: ['a,b\n1,2\n'],
  check({ body }: Input) {
    if (body[0] !== 0x46) return
    if (body[1] !== 0x55) return
    if (body[2] !== 0x5a) return
    throw new Broken('planted', 'the fault is reached')
  },
}

export const endless: Target = {
  ...shared,
  name: 'endless',
  seeds: ['"never closed'],
  check({ body }: Input) {
    for (let at = 0; body[0] === 0x22 && at < 1;) at = body.indexOf(0x22, at)
  },
}
