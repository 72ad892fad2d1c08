// Opening an object: everything that the prefix and the trailer claim is proven before a byte of payload is given.
import { timingSafeEqual } from 'node:crypto'
import { checkContext, type ExpectedContext } from './context.ts'
import { type ObjectEnds, readEnds } from './ends.ts'
import { misuse, notAuthentic } from './error.ts'
import { parseHeader, type SealedHeader } from './header.ts'
import { macOfHeader } from './keys.ts'
import { dataKeyBytes, tinkHeaderBytes, trailerBytes } from './limits.ts'
import { createOpenedObject, type OpenedObject, type OpenedParts } from './opened-object.ts'
import type { SealedSource } from './port.ts'
import { parseHeaderText } from './prefix.ts'
import { plaintextBytesOf, tinkLayout } from './tink-layout.ts'
import { openTrailer } from './trailer.ts'
import { type UnwrapOptions, type UnwrappedKeys, unwrapKeys } from './unwrap.ts'

export interface OpenOptions extends UnwrapOptions {
  /** As the caller knows it from elsewhere: an object cannot vouch for being the one that was asked for. */
  readonly expect: ExpectedContext
}

/**
 * Order: prefix, context, unwrap, commitment, header MAC, trailer, lengths. One read of the source for a small
 * object, two for others, and one unwrap in the usual case, none under the recording's secret. Throws `malformed`,
 * `unknown_version`, `wrong_context`, `not_authentic`, `misuse` for a secret of another recording than is expected;
 * failures of the source and of the key service pass through. Dispose the result.
 */
export async function openSealed(source: SealedSource, options: OpenOptions): Promise<OpenedObject> {
  if (options.under?.isOf(options.expect) === false) throw misuse('The secret is of another recording')
  const ends = await readEnds(source, { signal: options.signal })
  const { prefix, tinkHeader } = ends
  const { header, core, wraps } = parseHeader(parseHeaderText(prefix))
  checkContext(header.context, options.expect)
  if (tinkHeader.length !== tinkHeaderBytes || tinkHeader[0] !== tinkHeaderBytes) {
    throw notAuthentic('no Tink header')
  }
  const unwrapped = await unwrapKeys(header, tinkHeader.subarray(1, 1 + dataKeyBytes), options)
  try {
    const mac = macOfHeader(unwrapped.keys.headerMacKey, core, wraps)
    unwrapped.keys.headerMacKey.fill(0)
    if (!timingSafeEqual(mac, header.mac)) throw notAuthentic('header MAC')
    return createOpenedObject(checkedParts(header, ends, unwrapped, source.sizeBytes))
  } catch (error) {
    unwrapped.recordingSecret?.[Symbol.dispose]()
    throw error
  }
}

/** What the trailer says, once it is found to be of this object. */
function checkedParts(
  header: SealedHeader,
  { prefix, tinkHeader, trailer, source }: ObjectEnds,
  { keys, recordingSecret }: UnwrappedKeys,
  sizeBytes: number,
): OpenedParts {
  const facts = openTrailer(trailer, keys.trailerKey, header.coreDigest)
  const layout = tinkLayout(header.segmentBytes, dataKeyBytes)
  const isAsLong = prefix.length + facts.payloadBytes + trailerBytes === sizeBytes
  if (!isAsLong || plaintextBytesOf(layout, facts.payloadBytes) !== facts.plaintextBytes) {
    throw notAuthentic('the lengths in the trailer are not those of the object')
  }
  const noncePrefix = tinkHeader.subarray(1 + dataKeyBytes)
  return {
    header,
    plaintextBytes: facts.plaintextBytes,
    plaintextSha256: facts.plaintextSha256,
    prefix,
    trailer,
    segmentKey: { algorithm: 'aes-256-gcm', key: keys.payloadKey, noncePrefix },
    layout,
    payloadBytes: facts.payloadBytes,
    source,
    recordingSecret,
  }
}
