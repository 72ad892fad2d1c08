// Byte strings as one parameter in PostgreSQL's binary form of `bytea[]`: the driver would write them out in hexadecimal,
// at twice the bytes, and the server would read them back.

const byteaOid = 17
/** Dimensions, whether there is a null, type of the elements, then length and first index of the one dimension. */
const headBytes = 20
const lengthBytes = 4
const nullLength = -1

/** As `array_recv` of the server reads it. */
export function byteaArray(items: readonly (Uint8Array | null)[]): Buffer {
  const size = items.reduce((sum, item) => sum + lengthBytes + (item?.length ?? 0), headBytes)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(items.includes(null) ? 1 : 0, 4)
  bytes.writeInt32BE(byteaOid, 8)
  bytes.writeInt32BE(items.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = headBytes
  for (const item of items) {
    at = bytes.writeInt32BE(item?.length ?? nullLength, at)
    if (item === null) continue
    bytes.set(item, at)
    at += item.length
  }
  return bytes
}
