// How Cloud KMS holds a key: software or hardware, as every answer states it.
import { protos } from '@google-cloud/kms'
import { KeyError } from '../error.ts'

const { ProtectionLevel } = protos.google.cloud.kms.v1

/** The client gives enums as text or, for values that it does not know, as numbers. */
type Stated = string | number | null | undefined

/** `SOFTWARE`, `HSM`, ... */
export function heldAs(stated: Stated): string {
  return typeof stated === 'number' ? (ProtectionLevel[stated] ?? '') : (stated ?? '')
}

/** Throws `wrong_protection`: a key made otherwise than demanded stays as it is, so this is for an operator. */
export function mustBeHeldAs(demanded: string, stated: Stated): void {
  const held = heldAs(stated)
  if (held === demanded) return
  throw new KeyError(
    'wrong_protection',
    `A key is held as ${held || 'nothing known'}, and ${demanded} is demanded`,
  )
}
