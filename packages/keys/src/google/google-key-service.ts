// Keys in Google Cloud KMS: one CryptoKey a key name, in one key ring, never out of it.
import type { KeyService } from '../key-service.ts'
import { createCaller } from './call.ts'
import { createConnection } from './connection.ts'
import { inspectKeyRing } from './inspect.ts'
import { createKeyMaking } from './key-making.ts'
import { type GoogleKeyServiceOptions, settingsOf } from './options.ts'
import { keyResource } from './resource-names.ts'
import { macKey, signer } from './signing.ts'
import { createVersions } from './versions.ts'
import { wrappingKey } from './wrapping.ts'

export { type GoogleKeyServiceOptions, googleKeyDefaults } from './options.ts'

/** Disposing it ends its connections; calls after that throw `unavailable`. */
export interface GoogleKeyService extends KeyService, AsyncDisposable {}

/** Connects with the first call. Throws a RangeError for options that cannot be. */
export function createGoogleKeyService(options: GoogleKeyServiceOptions): GoogleKeyService {
  const settings = settingsOf(options)
  const { keyRing } = settings
  const connection = createConnection(settings)
  const caller = createCaller(connection, settings)
  const versions = createVersions(caller, settings)
  const making = createKeyMaking(caller, versions, settings)
  const parts = { caller, versions, settings }
  return {
    ensure: (name, { signal } = {}) => making.ensure(name, signal),
    rotate: (name, { signal } = {}) => making.rotate(name, signal),
    key: name => wrappingKey(keyResource(keyRing, name), caller, settings),
    mac: name => macKey(keyResource(keyRing, name), parts),
    signer: name => signer(keyResource(keyRing, name), name.purpose, parts),
    inspect: ({ signal } = {}) => inspectKeyRing(caller, settings, signal),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
