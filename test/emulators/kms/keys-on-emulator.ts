// The real client on an emulated Cloud KMS, in one process: what the tests of key services begin with.
import {
  createGoogleKeyService,
  type GoogleKeyService,
  type GoogleKeyServiceOptions,
} from '@auricle/keys/google'
import { identityWith, trustCertificate } from './identity.ts'
import { type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from './server.ts'

export const keyRing = 'projects/clinic/locations/me-central2/keyRings/auricle'

export interface KeysOnEmulator extends AsyncDisposable {
  readonly emulator: KmsEmulator
  /** Calls as anybody, or as the caller of that name. */
  open(options?: Partial<GoogleKeyServiceOptions>, caller?: string): GoogleKeyService
}

export async function startKeysOnEmulator(options: KmsEmulatorOptions = {}): Promise<KeysOnEmulator> {
  await using stack = new AsyncDisposableStack()
  const emulator = stack.use(await startKmsEmulator({ keyRings: [keyRing], ...options }))
  trustCertificate(emulator)
  const opened = stack.move()
  return {
    emulator,
    open: (more = {}, caller = 'anybody') =>
      opened.use(
        createGoogleKeyService({
          keyRing,
          protection: 'SOFTWARE',
          rotationDays: 90,
          destroyDays: 30,
          endpoint: emulator.endpoint,
          authClient: identityWith(rotatingToken(caller)),
          ...more,
        }),
      ),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** After one has expired there is another of the same caller to be had, as an emulated metadata server has it. */
function rotatingToken(caller: string): () => string {
  let fetches = 0
  return () => `${caller}.${++fetches}`
}
