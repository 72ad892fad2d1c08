// What may be noted beside an object, the same in every store.
import { ObjectError } from './error.ts'
import type { ObjectMetadata } from './store.ts'

const nameText = /^[a-z0-9-]{1,64}$/
/** Names and values together, in UTF-8: what Google Cloud Storage takes for one object. */
export const maxMetadataBytes = 8192

/** Throws `bad_metadata`. */
export function checkMetadata(metadata: ObjectMetadata): ObjectMetadata {
  for (const [name, value] of Object.entries(metadata)) {
    if (!nameText.test(name)) throw bad('A name of metadata is 1 to 64 characters of a-z 0-9 and -')
    if (typeof value !== 'string' || !value.isWellFormed()) {
      throw bad('A value of metadata is well-formed text')
    }
  }
  if (metadataBytes(metadata) > maxMetadataBytes) throw bad('Metadata is at most 8,192 bytes of UTF-8')
  return metadata
}

export function metadataBytes(metadata: ObjectMetadata): number {
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) bytes += name.length + Buffer.byteLength(value)
  return bytes
}

const bad = (sentence: string): ObjectError => new ObjectError('bad_metadata', sentence)
