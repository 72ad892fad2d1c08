// A tenant's keys for sealed columns and blind indexes. Opaque outside the catalog.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

export interface ColumnKeys {
  readonly sealing: KeyObject
  readonly indexing: KeyObject
}

/** Length of a tenant's column secret. */
const columnSecretBytes = 32

const keyBytes = 32
const noSalt = new Uint8Array()

/** Two keys of one 32-byte secret by HKDF-SHA-256 (RFC 5869), so that neither tells anything of the other. */
export function deriveColumnKeys(secret: Uint8Array): ColumnKeys {
  if (secret.length !== columnSecretBytes) {
    throw new RangeError(`A column secret has ${columnSecretBytes} bytes`)
  }
  return {
    sealing: deriveKey(secret, 'auricle column sealing 1'),
    indexing: deriveKey(secret, 'auricle column indexing 1'),
  }
}

function deriveKey(secret: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, noSalt, purpose, keyBytes)))
}
