// Partial responses: which members of an answer the `fields` parameter leaves, as in `items(name,size),nextPageToken`.
import { invalid } from './refusal.ts'

/** Null: everything below. */
type Mask = Map<string, Mask | null> | null

export function parseFields(text: string): Mask {
  let at = 0
  const parseList = (): Map<string, Mask | null> => {
    const mask = new Map<string, Mask | null>()
    for (;;) {
      const name = /^[\w-]+|^\*/.exec(text.slice(at))?.[0]
      if (name === undefined) throw invalid(`Invalid field selection ${text}`)
      at += name.length
      mask.set(name, parseBelow())
      if (text[at] !== ',') return mask
      at++
    }
  }
  const parseBelow = (): Mask => {
    if (text[at] === '/') {
      at++
      const name = /^[\w-]+|^\*/.exec(text.slice(at))?.[0]
      if (name === undefined) throw invalid(`Invalid field selection ${text}`)
      at += name.length
      return new Map([[name, parseBelow()]])
    }
    if (text[at] !== '(') return null
    at++
    const mask = parseList()
    if (text[at] !== ')') throw invalid(`Invalid field selection ${text}`)
    at++
    return mask
  }
  const mask = parseList()
  if (at < text.length) throw invalid(`Invalid field selection ${text}`)
  return mask
}

export function keepFields(value: unknown, mask: Mask): unknown {
  if (mask === null || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => keepFields(item, mask))
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const below = mask.has(name) ? mask.get(name) : mask.get('*')
    return below === undefined ? [] : [[name, keepFields(member, below)] as const]
  })
  return Object.fromEntries(kept)
}
