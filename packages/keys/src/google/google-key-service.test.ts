import { after, describe } from 'node:test'
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

// The same as it is run against a real key ring: one for all cases, with what it had before.
describe('sparingly', async () => {
  const keys = await startKeysOnEmulator({ generationMs: 30 })
  after(() => keys[Symbol.asyncDispose]())
  keyServiceConformance(
    async () => ({
      service: keys.open(),
      another: async () => keys.open(),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    { wrapVersion: 'told', sparing: true },
  )
})
