// What a test gives to the real client so that it talks to an emulator: trust in its certificate, and somebody's token.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { GoogleKeyServiceOptions } from '@auricle/keys/google'

/** This process takes the emulator's certificate from now on. Other processes are told by GRPC_DEFAULT_SSL_ROOTS_FILE_PATH. */
export function trustCertificate({ rootCertificate }: { readonly rootCertificate: string }): void {
  setDefaultCACertificates([...getCACertificates('default'), rootCertificate])
}

type AuthClient = NonNullable<GoogleKeyServiceOptions['authClient']>

/**
 * Calls with the token that `fetchToken` gives: fetched once, and again when the token counts as expired, as the
 * library's own clients do with a metadata server's.
 */
export function identityWith(fetchToken: () => string): AuthClient {
  const credentials: { access_token?: string; expiry_date?: number } = {}
  const identity = {
    universeDomain: 'googleapis.com',
    credentials,
    getRequestHeaders: async () => {
      if (credentials.access_token === undefined || (credentials.expiry_date ?? Infinity) < Date.now()) {
        credentials.access_token = fetchToken()
        delete credentials.expiry_date
      }
      return new Headers({ authorization: `Bearer ${credentials.access_token}` })
    },
  }
  return identity as unknown as AuthClient
}
