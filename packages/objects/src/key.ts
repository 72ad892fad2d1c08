// What may name an object, and what may begin such a name.
import { ObjectError } from './error.ts'

const maxKeyCharacters = 1024
const keyText = /^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+)*$/
const prefixText = /^(?:[a-z0-9_.-]+\/)*[a-z0-9_.-]*$/

/** The segments of a key. Throws `bad_key` for anything that is not exactly a key. */
export function keySegments(key: string): string[] {
  const segments = key.length <= maxKeyCharacters && keyText.test(key) ? key.split('/') : []
  if (segments.length === 0 || segments.some(isDots)) {
    throw new ObjectError('bad_key', 'An object key is 1 to 1,024 characters of a-z 0-9 _ . - and single /')
  }
  return segments
}

/**
 * The whole segments of a prefix; what follows its last slash is left to comparing. Throws `bad_key` for a
 * prefix that no key can begin with because of its characters or its empty segments.
 */
export function prefixSegments(prefix: string): string[] {
  const segments = prefix.split('/').slice(0, -1)
  if (prefix.length > maxKeyCharacters || !prefixText.test(prefix) || segments.some(isDots)) {
    throw new ObjectError('bad_key', 'A prefix is at most 1,024 characters of a-z 0-9 _ . - and single /')
  }
  return segments
}

const isDots = (segment: string): boolean => segment === '.' || segment === '..'
