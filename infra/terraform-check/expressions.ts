// What the expressions of a value name: `var.x`, `module.y.z`, and everything else with a dot in it.
import { stringsWithin, type Value } from './configuration.ts'

export interface Reference {
  /** The parts before and between dots; what stands in brackets is left out. */
  readonly parts: readonly string[]
}

/** Names that a `for` of the same string brings in count as known and are left out. */
export function referencesIn(value: Value): Reference[] {
  return [...stringsWithin(value)].flatMap(text => {
    const own = namesOfLoops(text)
    return codeIn(text)
      .flatMap(referencesInCode)
      .filter(({ parts: [root = ''] }) => !own.has(root))
  })
}

function namesOfLoops(text: string): ReadonlySet<string> {
  const loops = text.matchAll(/\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b/g)
  return new Set(Array.from(loops, ([, first = '', second = '']) => [first, second]).flat())
}

/** The code of each `${...}` of a template, the text of strings within it blanked. */
function codeIn(template: string): string[] {
  const found: string[] = []
  let at = 0
  while (at < template.length) {
    const isOpening = /^[$%]\{/.test(template.slice(at, at + 2))
    if (/^([$%])\1\{/.test(template.slice(at, at + 3))) at += 3
    else if (isOpening) {
      const { code, end } = readCode(template, at + 2, found)
      found.push(code)
      at = end
    } else at++
  }
  return found
}

/** From behind an opening brace to its closing one. Templates within strings are found on their own. */
function readCode(text: string, from: number, found: string[]): { code: string; end: number } {
  let code = ''
  let depth = 1
  let at = from
  while (at < text.length) {
    const character = text.charAt(at)
    if (character === '"') {
      const end = endOfString(text, at)
      found.push(...codeIn(text.slice(at + 1, end)))
      code += '""'
      at = end + 1
      continue
    }
    if (character === '{') depth++
    if (character === '}' && --depth === 0) return { code, end: at + 1 }
    code += character
    at++
  }
  return { code, end: at }
}

function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text.charAt(at) !== '"') {
    if (text.charAt(at) === '\\') at += 2
    else if (text.startsWith('${', at) && text.charAt(at - 1) !== '$') at = readCode(text, at + 2, []).end
    else at++
  }
  return at
}

function referencesInCode(code: string): Reference[] {
  // A bracket may hold a name of its own, which is found by itself.
  const chains = code.matchAll(/(?<![\w.)\]-])([A-Za-z_][\w-]*)((?:\[[^[\]]*\]|\.[\w*-]+)+)/g)
  const found: Reference[] = []
  for (const [, root = '', rest = ''] of chains) {
    for (const [, inner = ''] of rest.matchAll(/\[([^[\]]*)\]/g)) found.push(...referencesInCode(inner))
    const parts = [
      root,
      ...Array.from(rest.replace(/\[[^[\]]*\]/g, '').matchAll(/\.([\w*-]+)/g), m => m[1] ?? ''),
    ]
    found.push({ parts })
  }
  return found
}
