// Sealing one object: a fresh data key, the prefix that carries it wrapped, the payload, the trailer.
import { randomBytes } from 'node:crypto'
import {
  canonicalBareCore,
  canonicalCore,
  canonicalHeader,
  canonicalWraps,
  suite,
  version,
} from './canonical.ts'
import { parseContext, type SealContext } from './context.ts'
import { misuse } from './error.ts'
import { isSegmentBytes, parseWraps, type SealedHeader } from './header.ts'
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
import { RunningSha256 } from './running-sha256.ts'
import { streamBytes, tinkLayout } from './tink-layout.ts'
import { SegmentSealer } from './tink-stream.ts'
import { fingerprintOf, sealTrailer } from './trailer.ts'

export interface SealOptions extends CallOptions {
  readonly context: SealContext
  readonly wrapper: KeyWrapper
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

/** One object about to be sealed: its header stands, its key is wrapped. Good for one `seal`. */
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
 * Makes a data key and has it wrapped. Draws on `random` once, for data key, object salt, stream salt and nonce
 * prefix in this order. Failures of the wrapper pass through. Throws `misuse` for options out of their limits.
 * Abort means: nothing was begun.
 */
export async function startSeal(options: SealOptions): Promise<Sealing> {
  const { wrapper, segmentBytes = segmentBytesDefault, random = randomBytes, signal } = options
  if (!isSegmentBytes(segmentBytes)) throw misuse('The segment size is out of its limits')
  const context = asMisuse('The context is out of its limits', () => parseContext(options.context))
  signal?.throwIfAborted()
  const drawn = random(dataKeyBytes + objectSaltBytes + dataKeyBytes + noncePrefixBytes)
  const dataKey = drawn.subarray(0, dataKeyBytes)
  const objectSalt = Buffer.from(drawn.subarray(dataKeyBytes, dataKeyBytes + objectSaltBytes))
  const streamStart = drawn.subarray(dataKeyBytes + objectSaltBytes)
  try {
    const bareCore = canonicalBareCore({
      context,
      objectSalt: base64url(objectSalt),
      segmentBytes,
    })
    const coreDigest = digestCore(bareCore)
    const wrap = await wrapper.wrap(dataKey, wrapAad(coreDigest), { signal })
    const wraps = asMisuse('The wrapper gave no legal wrap', () => parseWraps([wrap]))
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

function asMisuse<Result>(message: string, parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    throw misuse(message, cause)
  }
}

const base64url = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
