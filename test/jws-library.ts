// What a library says of a signed text that knows JWS (RFC 7515) and nothing of this vault.
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'

/** Rejects where no key of the set signed it. */
export async function verifyByLibrary(
  jws: string,
  keys: { readonly keys: readonly object[] },
): Promise<{ readonly payload: unknown; readonly alg: string; readonly typ: string | undefined }> {
  const set = { keys: [...keys.keys] } as JSONWebKeySet
  const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet(set))
  const { alg, typ } = protectedHeader
  return { payload: JSON.parse(Buffer.from(payload).toString()), alg, typ }
}
