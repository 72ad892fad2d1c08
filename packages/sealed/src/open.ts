// Opening an object: everything that the prefix and the trailer claim is proven before a byte of payload is given.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { ByteRange } from '@auricle/contract'
import { checkContext, type ExpectedContext } from './context.ts'
import { notAuthentic } from './error.ts'
import { readPrefix } from './inspect.ts'
import { macOfHeader } from './keys.ts'
import { dataKeyBytes, tinkHeaderBytes, trailerBytes } from './limits.ts'
import { createOpenedObject, type OpenedObject } from './opened-object.ts'
import type { SealedSource } from './port.ts'
import { readExactly } from './source.ts'
import { plaintextBytesOf, tinkLayout } from './tink-layout.ts'
import { openTrailer } from './trailer.ts'
import { type UnwrapOptions, unwrapKeys } from './unwrap.ts'

export interface OpenOptions extends UnwrapOptions {
  /** As the caller knows it from elsewhere: an object cannot vouch for being the one that was asked for. */
  readonly expect: ExpectedContext
}

/**
 * Order: prefix, context, unwrap, commitment, header MAC, trailer, lengths. Two reads of the source (three where
 * the prefix is unusually long) and one unwrap in the usual case. Throws `malformed`, `unknown_version`,
 * `wrong_context`, `not_authentic`; failures of the source and of the key service pass through. Dispose the result.
 */
export async function openSealed(source: SealedSource, options: OpenOptions): Promise<OpenedObject> {
  const { expect, signal } = options
  const sizeBytes = source.sizeBytes
  const trailerRange = { start: Math.max(0, sizeBytes - trailerBytes), end: sizeBytes }
  const [{ header, core, wraps, prefix, tinkHeader }, trailer] = await Promise.all([
    readPrefix(source, { signal }),
    readExactly(source, trailerRange, { signal }),
  ])
  checkContext(header.context, expect)
  if (tinkHeader === null || tinkHeader[0] !== tinkHeaderBytes) throw notAuthentic('no Tink header')
  const streamSalt = tinkHeader.subarray(1, 1 + dataKeyBytes)
  const keys = await unwrapKeys(header, streamSalt, options)
  const mac = macOfHeader(keys.headerMacKey, core, wraps)
  keys.headerMacKey.fill(0)
  if (!timingSafeEqual(mac, header.mac)) throw notAuthentic('header MAC')
  const facts = openTrailer(trailer, keys.trailerKey, header.coreDigest)
  const layout = tinkLayout(header.segmentBytes, dataKeyBytes)
  const isAsLong = prefix.length + facts.payloadBytes + trailerBytes === sizeBytes
  if (!isAsLong || plaintextBytesOf(layout, facts.payloadBytes) !== facts.plaintextBytes) {
    throw notAuthentic('the lengths in the trailer are not those of the object')
  }
  const noncePrefix = Buffer.from(tinkHeader.subarray(1 + dataKeyBytes))
  return createOpenedObject({
    header,
    plaintextBytes: facts.plaintextBytes,
    plaintextSha256: facts.plaintextSha256,
    fingerprint: () => createHash('sha256').update(prefix).update(trailer).digest(),
    segmentKey: { key: keys.payloadKey, noncePrefix },
    layout,
    payloadBytes: facts.payloadBytes,
    payload: payloadOf(source, prefix.length),
  })
}

/** Reads of the payload, addressed from its own beginning. */
function payloadOf(source: SealedSource, prefixBytes: number): SealedSource['read'] {
  return ({ start, end }: ByteRange, options) =>
    source.read({ start: start + prefixBytes, end: end + prefixBytes }, options)
}
