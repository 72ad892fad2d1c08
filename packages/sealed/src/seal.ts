// Sealing one object: a data key, the prefix that carries the wrap that leads to it, the payload, the trailer.
import { randomBytes } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import {
  canonicalBareCore,
  canonicalCore,
  canonicalHeader,
  canonicalWraps,
  suite,
  version,
} from './canonical.ts'
import { parseContext, type SealContext } from './context.ts'
import { asMisuse, misuse } from './error.ts'
import { isSegmentBytes, type SealedHeader } from './header.ts'
import { deriveObjectKeys, digestCore, macOfHeader, type ObjectKeys, wrapAad } from './keys.ts'
import {
  dataKeyBytes,
  noncePrefixBytes,
  objectSaltBytes,
  segmentBytesDefault,
  tinkHeaderBytes,
} from './limits.ts'
import type { CallOptions, KeyWrapper } from './port.ts'
import { encodePrefix, type SealedPrefix } from './prefix.ts'
import { legalWrap, type RecordingSecret } from './recording-secret.ts'
import { RunningSha256 } from './running-sha256.ts'
import { streamBytes, tinkLayout } from './tink-layout.ts'
import { SegmentSealer } from './tink-stream.ts'
import { fingerprintOf, sealTrailer } from './trailer.ts'

/** Exactly one of the two: a wrap for this object alone, or the secret of the recording it belongs to. */
export type SealKey =
  | { readonly wrapper: KeyWrapper; readonly under?: never }
  | { readonly under: RecordingSecret; readonly wrapper?: never }

export type SealOptions = SealKey & SealSettings

interface SealSettings extends CallOptions {
  readonly context: SealContext
  /** Ciphertext bytes of a segment: 64 to 4,194,304, both inclusive. Default 262,144. */
  readonly segmentBytes?: number | undefined
  /** Gives that many unpredictable bytes. Default: the system's generator. Anything else is for test vectors. */
  readonly random?: ((byteLength: number) => Uint8Array) | undefined
}

/** What is known of an object once it is sealed. */
export interface SealFacts {
  readonly plaintextBytes: number
  readonly plaintextSha256: Uint8Array
  readonly sealedBytes: number
  /** SHA-256 of prefix and trailer: names the object without saying anything of its content. */
  readonly fingerprint: Uint8Array
}

/** One object about to be sealed: its header stands, its key is settled. Good for one `seal`. */
export interface Sealing {
  readonly header: SealedHeader
  /**
   * Prefix, payload and trailer, in pieces, in constant memory. The source's pieces are kept by reference for up to
   * a segment: it must not reuse its buffers. Abort or a failing source ends it without a trailer, which no reader
   * accepts. Throws `misuse` at a second call, `too_large` beyond 2^31 - 1 segments.
   */
  seal(source: AsyncIterable<Uint8Array>, options?: CallOptions): AsyncGenerator<Uint8Array, void, undefined>
  /** Throws `misuse` before the end of `seal`. */
  facts(): SealFacts
}

/** Salt and nonce prefix follow the header's length byte in the Tink header. */
const saltAt = 1
const noncePrefixAt = saltAt + dataKeyBytes

/**
 * With a wrapper: makes a data key and has it wrapped. Under a recording's secret: derives it, and asks nobody.
 * Draws on `random` once, for data key (with a wrapper only), object salt, stream salt and nonce prefix in this
 * order. Failures of the wrapper pass through. Throws `misuse` for options out of their limits, and for a secret
 * that was disposed or is another recording's. Abort means: nothing was begun.
 */
export async function startSeal(options: SealOptions): Promise<Sealing> {
  const { segmentBytes = segmentBytesDefault, random = randomBytes, signal } = options
  if (!isSegmentBytes(segmentBytes)) throw misuse('The segment size is out of its limits')
  const context = asMisuse('The context is out of its limits', () => parseContext(options.context))
  if (options.under?.isOf(context) === false) throw misuse('The secret is of another recording')
  signal?.throwIfAborted()
  const freshBytes = options.under === undefined ? dataKeyBytes : 0
  const drawn = random(freshBytes + objectSaltBytes + dataKeyBytes + noncePrefixBytes)
  const fresh = drawn.subarray(0, freshBytes)
  const objectSalt = Buffer.from(drawn.subarray(freshBytes, freshBytes + objectSaltBytes))
  const streamStart = drawn.subarray(freshBytes + objectSaltBytes)
  const bareCore = canonicalBareCore({ context, objectSalt: base64url(objectSalt), segmentBytes })
  const coreDigest = digestCore(bareCore)
  const { dataKey, wrap } =
    options.under === undefined
      ? await wrapFresh(fresh, coreDigest, options)
      : deriveUnder(options.under, objectSalt, coreDigest)
  try {
    const wraps = [wrap]
    const keys = deriveObjectKeys(dataKey, objectSalt, streamStart.subarray(0, dataKeyBytes), coreDigest)
    const core = canonicalCore(bareCore, base64url(keys.commitment))
    const wrapsText = canonicalWraps(wraps)
    const mac = macOfHeader(keys.headerMacKey, core, wrapsText)
    keys.headerMacKey.fill(0)
    const prefix = encodePrefix(canonicalHeader(core, base64url(mac), wrapsText))
    prefix.bytes[prefix.prefixBytes] = tinkHeaderBytes
    prefix.bytes.set(streamStart, prefix.prefixBytes + saltAt)
    const { commitment } = keys
    const header: SealedHeader = {
      version,
      suite,
      segmentBytes,
      objectSalt,
      context,
      commitment,
      wraps,
      mac,
      coreDigest,
    }
    return createSealing(header, prefix, keys)
  } finally {
    dataKey.fill(0)
  }
}

interface SettledKey {
  /** Wipe after use. */
  readonly dataKey: Uint8Array
  readonly wrap: Wrap
}

async function wrapFresh(
  dataKey: Uint8Array,
  coreDigest: Uint8Array,
  { wrapper, signal }: { readonly wrapper: KeyWrapper } & CallOptions,
): Promise<SettledKey> {
  try {
    const wrap = await wrapper.wrap(dataKey, wrapAad(coreDigest), { signal })
    return { dataKey, wrap: legalWrap(wrap, 1) }
  } catch (error) {
    dataKey.fill(0)
    throw error
  }
}

function deriveUnder(key: RecordingSecret, objectSalt: Uint8Array, coreDigest: Uint8Array): SettledKey {
  const dataKey = key.deriveDataKey(objectSalt, coreDigest)
  if (dataKey === null) throw misuse('The secret of the recording was disposed')
  return { dataKey, wrap: key.wrap }
}

function createSealing(
  header: SealedHeader,
  prefix: SealedPrefix,
  { payloadKey, trailerKey }: ObjectKeys,
): Sealing {
  const layout = tinkLayout(header.segmentBytes, dataKeyBytes)
  const { bytes, prefixBytes } = prefix
  const noncePrefix = Buffer.from(bytes.subarray(prefixBytes + noncePrefixAt))
  let begun = false
  let facts: SealFacts | null = null

  async function* seal(
    source: AsyncIterable<Uint8Array>,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (begun) throw misuse('A sealing seals one object')
    begun = true
    signal?.throwIfAborted()
    yield bytes
    const sha256 = new RunningSha256()
    let plaintextBytes = 0
    const segmentKey = { algorithm: 'aes-256-gcm', key: payloadKey, noncePrefix } as const
    const sealer = new SegmentSealer(segmentKey, layout, (plaintext, isLast) => {
      for (const piece of plaintext) plaintextBytes += piece.length
      sha256.update(plaintext, isLast)
    })
    for await (const piece of source) {
      signal?.throwIfAborted()
      sealer.push(piece)
      for (let sealed = sealer.next(); sealed !== null; sealed = sealer.next()) {
        // Not yield*, which takes three turns of the queue a piece where this takes one.
        for (const sealedPiece of sealed) yield sealedPiece
        signal?.throwIfAborted()
      }
    }
    signal?.throwIfAborted()
    for (const sealedPiece of sealer.last()) yield sealedPiece
    const plaintextSha256 = sha256.digest()
    const payloadBytes = streamBytes(layout, plaintextBytes)
    const lengthsAndHash = { payloadBytes, plaintextBytes, plaintextSha256 }
    const trailer = sealTrailer(lengthsAndHash, trailerKey, header.coreDigest)
    facts = {
      plaintextBytes,
      plaintextSha256,
      sealedBytes: prefixBytes + payloadBytes + trailer.length,
      fingerprint: fingerprintOf(bytes.subarray(0, prefixBytes), trailer),
    }
    yield trailer
  }

  return {
    header,
    seal,
    facts() {
      if (facts === null) throw misuse('Facts are known at the end of seal')
      return facts
    },
  }
}

const base64url = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
