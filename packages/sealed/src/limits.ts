// The numbers of the sealed-object format, version 1 (docs/sealed-object.md). All in bytes unless named otherwise.

export const tagBytes = 16
export const nonceBytes = 12
export const noncePrefixBytes = 7
export const sha256Bytes = 32
export const dataKeyBytes = 32
export const recordingSecretBytes = 32
export const objectSaltBytes = 32

/** Tink header of a 32-byte derived key: one length byte, the salt, the nonce prefix. */
export const tinkHeaderBytes = 1 + dataKeyBytes + noncePrefixBytes

export const segmentBytesDefault = 256 * 1024
export const segmentBytesLeast = 64
export const segmentBytesMost = 4 * 1024 * 1024
/** Readers exist that count segments in a signed 32-bit integer. */
export const segmentsMost = 2 ** 31 - 1

export const magicBytes = 8
/** Magic, prefix length, header length. */
export const prefixFixedBytes = magicBytes + 4 + 4
export const prefixStepBytes = 512
export const prefixUsualBytes = 2048
export const prefixMostBytes = 128 * 1024

export const wrapsMost = 8

/** Magic, payload length, plaintext length: the part of the trailer that is authenticated in clear. */
export const trailerClearBytes = magicBytes + 8 + 8
export const trailerBytes = trailerClearBytes + sha256Bytes + tagBytes
