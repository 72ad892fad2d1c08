// Which object it is, told from its two ends and without a key.
import { readEnds } from './ends.ts'
import type { CallOptions, SealedSource } from './port.ts'
import { fingerprintOf } from './trailer.ts'

/**
 * The fingerprint of what the source holds now, to be compared with one that is known: alone it proves nothing. It
 * vouches for the payload only through the trailer, which a key opens. Throws `malformed`, `unknown_version`.
 */
export async function fingerprintSealed(
  source: SealedSource,
  options: CallOptions = {},
): Promise<Uint8Array> {
  const { prefix, trailer } = await readEnds(source, options)
  return fingerprintOf(prefix, trailer)
}
