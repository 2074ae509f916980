import { describe, expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { MersenneTwister } from '../../src/generate/mersenne-twister.ts'

/**
 * Written by CPython 3.11: `r = random.Random(seed)`, then three `'%032x' % r.getrandbits(128)`; anew, two
 * `r.random()`; anew, the 2,000th `r.getrandbits(32)`.
 */
const golden = [
  {
    seed: 0n,
    bits: [
      'e3e70682c2094cac629f6fbed82c07cd',
      'f728b4fa42485e3a0a5d2f346baa9455',
      'eb1167b367a9c3787c65c1e582e2e662',
    ],
    randoms: [0.8444218515250481, 0.7579544029403025],
    word2000: 3908016617,
  },
  {
    seed: 1n,
    bits: [
      'cd613e30d8f16adf91b7584a2265b1f5',
      '1e2feb89414c343c1027c4d1c386bbc4',
      '78e510617311d8a3c2ce6f447ed4d57b',
    ],
    randoms: [0.13436424411240122, 0.8474337369372327],
    word2000: 1058062369,
  },
  {
    seed: 42n,
    bits: [
      'bdd640fb06671ad11c80317fa3b1799d',
      '23b8c1e9392456de3eb13b9046685257',
      'bd9c66b3ad3c2d6d1a3d1fa7bc8960a9',
    ],
    randoms: [0.6394267984578837, 0.025010755222666936],
    word2000: 1557724698,
  },
  {
    seed: 2147483648n,
    bits: [
      'e0f05c76814bbe186097aeb056bb5322',
      'a2b8039d29b4fc25e4ab7f4be39f13b7',
      '1f7bb93bb147cf7f1d7be6f01cbecf0f',
    ],
    randoms: [0.3387958510019964, 0.5050619906087787],
    word2000: 3919396332,
  },
  {
    seed: 4294967295n,
    bits: [
      '3720bfa93404e9419e9c04f4a2a6c909',
      '9a6188fb4a94f70785bbddd49b7c60b4',
      'ac1f8d0f6190d504f62bb2ff570c1006',
    ],
    randoms: [0.6353574441341173, 0.20319993954407756],
    word2000: 2640887251,
  },
  {
    seed: 4294967296n,
    bits: [
      'ef49e4d26af6d50659ef8bbc1ced31d7',
      'e047a3939c99c70905d7a70d0444e71b',
      'd67ce86c54ddeae1c3284361ce3ee200',
    ],
    randoms: [0.11299430095636409, 0.41782886486292836],
    word2000: 4134838374,
  },
  {
    seed: 4294967297n,
    bits: [
      'd78a89f3832d6c79804005d43b1e6e85',
      '44b1bfd917772decd04b6d546a22172f',
      '392b39daaf9d6d663faf103d9aee8c1e',
    ],
    randoms: [0.2309331037176915, 0.5124118614342635],
    word2000: 467436904,
  },
  {
    seed: 1234567890123n,
    bits: [
      '9f7a767b33b3c6a5bd98380cd2916fca',
      '8e9278f16f1ee99dedfb4971a2cdc80d',
      '5444667a47e169b3266c9d732b5c7a23',
    ],
    randoms: [0.8225316907510454, 0.20196191685618736],
    word2000: 2826189345,
  },
  {
    seed: 9007199254740991n,
    bits: [
      'c0a9504e390e4e8b8f8509f51820cb52',
      '1dc6f02625bf39ecea64348e30fc6938',
      '72ba0be27b14828e0582f49718ce0a24',
    ],
    randoms: [0.09425040007102303, 0.22287455761867403],
    word2000: 2368073932,
  },
  {
    seed: 18446744073709551658n,
    bits: [
      'f1156fdeee97312cf12203b859795188',
      '767d456ce4638616c486295bc6db6c31',
      '1ee3777fbf6bea828b59998deae831ca',
    ],
    randoms: [0.34950742827300174, 0.9319945122430723],
    word2000: 3378211893,
  },
  {
    seed: 1606938044258990275541962092341162602522202993782792835313721n,
    bits: [
      '5e7f4d7eaf900f89cf32da7d25b83523',
      '914d55b58ab54c88eaa2c91eed5524ac',
      '58e70936fb3e96423476a9663ce40124',
    ],
    randoms: [0.14734203971452786, 0.6857919422472266],
    word2000: 693168973,
  },
]

describe.each(golden)('seed $seed', ({ seed, bits, randoms, word2000 }) => {
  it("128-bit draws are those of Python's random", () => {
    const twister = new MersenneTwister(seed)
    expect(bits.map(() => twister.getrandbits128())).toEqual(bits)
  })

  it("53-bit numbers are those of Python's random", () => {
    const twister = new MersenneTwister(seed)
    expect(randoms.map(() => twister.random())).toEqual(randoms)
  })

  it("words are those of Python's random after the state has been refreshed", () => {
    const twister = new MersenneTwister(seed)
    for (let i = 1; i < 2000; i++) twister.word()
    expect(twister.word()).toBe(word2000)
  })
})

it('a number and a bigint are the same seed', () => {
  expect(new MersenneTwister(Number.MAX_SAFE_INTEGER).getrandbits128()).toBe(
    new MersenneTwister(BigInt(Number.MAX_SAFE_INTEGER)).getrandbits128(),
  )
})

it.each([-1, -1n, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('the seed %s is refused', (seed) => {
  expect(() => new MersenneTwister(seed)).toThrow(
    expect.objectContaining({ name: 'LadingError', code: 'USAGE' }) as LadingError,
  )
})
