// The one text of a JSON value (RFC 8785), restricted to values on which no two programs can disagree.
import { AuditError } from './error.ts'

/** Deeper values are refused, and with them every cycle. */
const maxDepth = 64

/**
 * Canonical JSON of `value`: keys in order of their UTF-16 code units, no white space (RFC 8785 section 3.2).
 * Takes null, booleans, strings without lone surrogates, safe integers, arrays and plain objects. Throws
 * `AuditError('not_canonical')` for anything else: a fraction, `undefined`, a hole, a cycle, a symbol key.
 */
export function canonicalJson(value: unknown): string {
  return serialize(value, 0)
}

function serialize(value: unknown, depth: number): string {
  if (depth > maxDepth) refuse(`is cyclic or more than ${maxDepth} deep`)
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isSafeInteger(value)) refuse('is a number that is no safe integer')
      return JSON.stringify(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? list(value, depth) : record(value, depth)
    default:
      return refuse(`is a ${typeof value}`)
  }
}

function text(value: string): string {
  if (!value.isWellFormed()) refuse('has a lone surrogate')
  // ECMAScript escapes exactly as RFC 8785 section 3.2.2.2 asks.
  return JSON.stringify(value)
}

function list(value: readonly unknown[], depth: number): string {
  if (Reflect.ownKeys(value).length !== value.length + 1) refuse('is an array with holes or named properties')
  return `[${value.map(item => serialize(item, depth + 1)).join(',')}]`
}

function record(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) refuse('is an object of some class')
  const keys = Object.keys(value)
  if (Reflect.ownKeys(value).length !== keys.length) refuse('is an object with hidden properties')
  // Each key is its own, so nothing inherited is read, `__proto__` included.
  const members = value as Readonly<Record<string, unknown>>
  let json = ''
  // The default order of `sort` is that of UTF-16 code units, as RFC 8785 section 3.2.3 asks.
  for (const key of keys.sort()) {
    json += `${json === '' ? '' : ','}${text(key)}:${serialize(members[key], depth + 1)}`
  }
  return `{${json}}`
}

function refuse(why: string): never {
  throw new AuditError('not_canonical', `canonical JSON cannot hold a value that ${why}`)
}
