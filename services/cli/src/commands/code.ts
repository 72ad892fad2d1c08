// `auricle code`: the six digits of the moment, for a person without an authenticator app at hand.
import { totpCode } from '@auricle/identity'
import { UsageError } from '../error.ts'
import type { Output } from '../output.ts'

export function showCode(output: Output, key: string): void {
  try {
    const code = totpCode(key, new Date())
    output.value({ code }, code)
  } catch (cause) {
    throw new UsageError('That is not the key of an authenticator app', { cause })
  }
}
