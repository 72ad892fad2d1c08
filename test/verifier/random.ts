// Numbers that look random and follow from a seed, so that a corpus can be made again.

export interface Random {
  /** From 0 to `below` - 1. */
  int(below: number): number
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  bytes(length: number): Buffer
  /** An id of the vault, by its prefix. */
  id(prefix: string): string
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const idCharacters = 25

/** After Mulberry32, which is good enough to choose by and for nothing else. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const int = (below: number) => next() % below
  return {
    int,
    chance: share => next() < share * 2 ** 32,
    pick: <T>(list: readonly T[]) => {
      const item = list[int(list.length)]
      if (item === undefined) throw new RangeError('there is nothing to pick from')
      return item
    },
    bytes: length => Buffer.from(Array.from({ length }, () => int(256))),
    id: prefix =>
      `${prefix}_0${Array.from({ length: idCharacters }, () => alphabet[int(alphabet.length)]).join('')}`,
  }
}
