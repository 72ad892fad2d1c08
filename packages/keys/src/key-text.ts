// The text form of a key's name, as it stands in wraps and in the keyring, and what kind of key a name is. Never changes.
import type { AnyKeyName } from './key-service.ts'

/** `tenants/<tenant id>/recordings`, `.../connectors`, `.../search`, or `identity`, `checkpoints`, `receipts`, `certificates`. */
export function keyText(name: AnyKeyName): string {
  return 'tenantId' in name ? `tenants/${name.tenantId}/${name.purpose}` : name.purpose
}

export type KeyKind = 'wrap' | 'mac' | 'sign'

const kindOfPurpose: Readonly<Record<AnyKeyName['purpose'], KeyKind>> = {
  recordings: 'wrap',
  connectors: 'wrap',
  identity: 'wrap',
  search: 'mac',
  checkpoints: 'sign',
  receipts: 'sign',
  certificates: 'sign',
}

export const kindOf = (name: AnyKeyName): KeyKind => kindOfPurpose[name.purpose]

/** Whether a text is one that `keyText` makes. */
export const isKeyText = (text: string): boolean =>
  /^(?:identity|checkpoints|receipts|certificates|tenants\/ten_[0-9a-z]{26}\/(?:recordings|connectors|search))$/.test(
    text,
  )

/** Only for what `keyText` makes. */
export const isSignerText = (text: string): boolean =>
  text === 'checkpoints' || text === 'receipts' || text === 'certificates'
