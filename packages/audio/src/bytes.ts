// Reads numbers and text out of the first bytes of a file; what lies beyond them reads as null or as no match.

export interface Head {
  readonly length: number
  /** Whether the ASCII text stands at the offset. */
  has(text: string, offset?: number): boolean
  /** Whether the bytes, in hexadecimal, stand at the offset. */
  hasHex(hex: string, offset?: number): boolean
  /** Where the ASCII text first stands before `end`; -1 if nowhere. */
  find(text: string, end: number): number
  byte(offset: number): number | null
  uint16le(offset: number): number | null
  uint32le(offset: number): number | null
  uint32be(offset: number): number | null
  bytes(): Uint8Array
}

export function readHead(bytes: Uint8Array): Head {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const within = (offset: number, width: number) => offset >= 0 && offset + width <= buffer.length
  const matches = (expected: Buffer, offset: number) =>
    within(offset, expected.length) &&
    buffer.compare(expected, 0, expected.length, offset, offset + expected.length) === 0
  return {
    length: buffer.length,
    has: (text, offset = 0) => matches(Buffer.from(text, 'latin1'), offset),
    hasHex: (hex, offset = 0) => matches(Buffer.from(hex, 'hex'), offset),
    find: (text, end) => buffer.subarray(0, end).indexOf(text, 0, 'latin1'),
    byte: offset => (within(offset, 1) ? buffer.readUInt8(offset) : null),
    uint16le: offset => (within(offset, 2) ? buffer.readUInt16LE(offset) : null),
    uint32le: offset => (within(offset, 4) ? buffer.readUInt32LE(offset) : null),
    uint32be: offset => (within(offset, 4) ? buffer.readUInt32BE(offset) : null),
    bytes: () => buffer,
  }
}
