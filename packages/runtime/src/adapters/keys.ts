// The key service that the configuration means, with unwrapped keys kept briefly.
import { access } from 'node:fs/promises'
import type { Catalog } from '@auricle/catalog'
import {
  cachedKeys,
  createKeyUses,
  createLocalKeyService,
  type KeyService,
  keyUsesFolder,
  type OnKeyUse,
} from '@auricle/keys'
import type { Config, Secrets } from '../config.ts'
import { RuntimeError } from '../error.ts'

const keysMost = 1024

export interface OpenKeys {
  readonly config: Pick<Config, 'keys' | 'keyCacheMs'>
  readonly secrets: Pick<Secrets, 'keyringPassphrase'>
  readonly catalog: Pick<Catalog, 'listSigningKeys'>
  readonly signal?: AbortSignal | undefined
}

/**
 * Where uses of a recording's key are noted, for whoever compares them with the log. Cloud KMS has an audit log of its own,
 * which this process cannot write.
 */
export function openKeyUses({ keys }: Pick<Config, 'keys'>): OnKeyUse {
  return keys.kind === 'keyring' ? createKeyUses(keyUsesFolder(keys.file)) : async () => undefined
}

/** Disposing wipes what is kept and closes connections. Throws `keyring_lost`. */
export async function openKeys(options: OpenKeys): Promise<KeyService & AsyncDisposable> {
  const { keys, keyCacheMs } = options.config
  switch (keys.kind) {
    case 'keyring': {
      await refuseLostKeyring(keys.file, options)
      const passphrase = options.secrets.keyringPassphrase?.reveal()
      const service = await createLocalKeyService({ file: keys.file, passphrase })
      return { ...service, [Symbol.asyncDispose]: async () => {} }
    }
    case 'gcp-kms': {
      await using opening = new AsyncDisposableStack()
      // Loaded where it is used: the client takes longer to load than all of the rest.
      const { createGoogleKeyService } = await import('@auricle/keys/google')
      const service = opening.use(createGoogleKeyService(keys))
      // An unwrap is a call across the network, and one recording is opened several times in a row.
      const cached =
        keyCacheMs === 0 ? service : opening.use(cachedKeys(service, { keptMs: keyCacheMs, keysMost }))
      const opened = opening.move()
      return { ...cached, [Symbol.asyncDispose]: () => opened.disposeAsync() }
    }
    default:
      return keys satisfies never
  }
}

/** A new keyring opens nothing of what an old one closed, so it must not take its place unasked. */
async function refuseLostKeyring(file: string, { catalog, signal }: OpenKeys): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  )
  if (isThere || (await catalog.listSigningKeys({ signal })).length === 0) return
  throw new RuntimeError(
    'keyring_lost',
    `The database is in use, but its keyring ${file} is not there. Put your copy of it back: without it nothing that is stored can be opened.`,
  )
}
