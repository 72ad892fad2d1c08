// A sealed column's value: text encrypted for one tenant, table, column and row, and for no other place.
// Layout: version 0x01, 12 random bytes of IV, AES-256-GCM ciphertext, 16 bytes of tag (docs/catalog.md).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { ColumnKeys } from './column-keys.ts'
import { CatalogError } from './error.ts'

/** Where a value stands; sealed with it as additional data, so that a value moved elsewhere does not open. */
export interface ColumnPlace {
  readonly tenantId: string
  readonly table: string
  readonly column: string
  readonly rowId: string
}

const algorithm = 'aes-256-gcm'
const version = 1
const ivBytes = 12
const tagBytes = 16
const headBytes = 1 + ivBytes
const shortestBytes = headBytes + tagBytes

export function sealColumn(
  keys: Pick<ColumnKeys, 'sealing'>,
  place: ColumnPlace,
  value: string,
  random: (byteLength: number) => Uint8Array = randomBytes,
): Uint8Array {
  const iv = random(ivBytes)
  const cipher = createCipheriv(algorithm, keys.sealing, iv, { authTagLength: tagBytes })
  cipher.setAAD(additionalData(place))
  const ciphertext = cipher.update(value, 'utf8')
  return Buffer.concat([Uint8Array.of(version), iv, ciphertext, cipher.final(), cipher.getAuthTag()])
}

/** Throws `damaged` for anything but what `sealColumn` made for this place under these keys. */
export function openColumn(
  keys: Pick<ColumnKeys, 'sealing'>,
  place: ColumnPlace,
  sealed: Uint8Array,
): string {
  if (sealed.length < shortestBytes || sealed[0] !== version) throw damaged(place)
  const tagAt = sealed.length - tagBytes
  try {
    const decipher = createDecipheriv(algorithm, keys.sealing, sealed.subarray(1, headBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(additionalData(place)).setAuthTag(sealed.subarray(tagAt))
    const plaintext = decipher.update(sealed.subarray(headBytes, tagAt))
    return Buffer.concat([plaintext, decipher.final()]).toString('utf8')
  } catch (error) {
    throw damaged(place, error)
  }
}

/** The parts hold no zero byte (names of ours, ids), so the zero between them keeps them apart. */
function additionalData({ tenantId, table, column, rowId }: ColumnPlace): Uint8Array {
  return Buffer.from(['auricle column 1', tenantId, table, column, rowId].join('\0'), 'utf8')
}

function damaged({ table, column, rowId }: ColumnPlace, cause?: unknown): CatalogError {
  return new CatalogError('damaged', `${table}.${column} of ${rowId} does not open`, { cause })
}
