// Randomness that a seed decides, so that a run can be made again.

export interface Random {
  /** At least 0, below 1. */
  fraction(): number
  /** From `least` to `most`, both included. */
  integer(least: number, most: number): number
  /** Evenly spread over the orders of magnitude from `least` to `most`, rounded. */
  magnitude(least: number, most: number): number
  pick<Item>(items: readonly Item[]): Item
  /** A new array in another order. */
  shuffle<Item>(items: readonly Item[]): Item[]
  bytes(count: number): Buffer
}

const two32 = 2 ** 32

/** `seed`: an integer of 32 bits. Mulberry32: no secret ever comes from it. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const fraction = () => next() / two32
  const integer = (least: number, most: number) => least + Math.floor(fraction() * (most - least + 1))
  return {
    fraction,
    integer,
    magnitude: (least, most) => Math.round(least * (most / least) ** fraction()),
    pick: items => {
      const item = items[integer(0, items.length - 1)]
      if (item === undefined) throw new RangeError('Nothing to pick from')
      return item
    },
    shuffle: items => {
      const order = items.map(item => ({ item, rank: fraction() }))
      return order.sort((a, b) => a.rank - b.rank).map(({ item }) => item)
    },
    bytes: count => Buffer.from(Array.from({ length: count }, () => next() & 0xff)),
  }
}

/** One for a run that was given none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * two32)
}
