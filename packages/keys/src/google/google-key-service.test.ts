import { identityWith, trustCertificate } from '../../../../test/emulators/kms/identity.ts'
import { startKmsEmulator } from '../../../../test/emulators/kms/server.ts'
import { keyServiceConformance } from '../conformance.ts'
import { createGoogleKeyService, type GoogleKeyServiceOptions } from './google-key-service.ts'

const keyRing = 'projects/clinic/locations/me-central2/keyRings/auricle'

// What the suite asks of every key service, of this one over a socket.
keyServiceConformance(
  async () => {
    const emulator = await startKmsEmulator({ keyRings: [keyRing], generationMs: 30 })
    trustCertificate(emulator)
    const stack = new AsyncDisposableStack()
    stack.use(emulator)
    const options: GoogleKeyServiceOptions = {
      keyRing,
      protection: 'SOFTWARE',
      rotationDays: 90,
      destroyDays: 30,
      endpoint: emulator.endpoint,
      authClient: identityWith(() => 'anybody'),
    }
    const open = () => stack.use(createGoogleKeyService(options))
    return {
      service: open(),
      another: async () => open(),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  },
  { wrapVersion: 'told' },
)
