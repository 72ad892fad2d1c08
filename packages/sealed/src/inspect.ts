// What an object says of itself, without a key.
import { readStart } from './ends.ts'
import { parseHeader, type SealedHeader } from './header.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { parseHeaderText } from './prefix.ts'

/** Reads and parses the prefix alone. Nothing of it is proven. Throws `malformed`, `unknown_version`. */
export async function inspectSealed(source: SealedSource, options: CallOptions = {}): Promise<SealedHeader> {
  const { prefix } = await readStart(source, options)
  return parseHeader(parseHeaderText(prefix)).header
}
