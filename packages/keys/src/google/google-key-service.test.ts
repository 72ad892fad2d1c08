import { startKeysOnEmulator } from '../../../../test/emulators/kms/keys-on-emulator.ts'
import { keyServiceConformance } from '../conformance.ts'

// What the suite asks of every key service, of this one over a socket.
keyServiceConformance(
  async () => {
    const keys = await startKeysOnEmulator({ generationMs: 30 })
    return {
      service: keys.open(),
      another: async () => keys.open(),
      [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
    }
  },
  { wrapVersion: 'told' },
)
