// The key service on an emulated Cloud KMS, for the matrix: an adapter a cell, on keys of its own.
import { KeyError, type KeyService } from '@auricle/keys'
import { createGoogleKeyService } from '@auricle/keys/google'
import { identityWith, trustCertificate } from '../emulators/kms/identity.ts'
import { type KmsEmulator, startKmsEmulator } from '../emulators/kms/server.ts'
import { keyOperations } from './key-operations.ts'
import type { Lane, Port } from './port.ts'

const keyRing = 'projects/clinic/locations/me-central2/keyRings/auricle'
const patientMs = 30_000

export interface KeySubject {
  /** What is tried. It knows nothing yet of any key. */
  readonly service: KeyService
  /** For what has to be there, and for judging. */
  readonly other: KeyService
  readonly keyRing: string
  readonly versionsOf: KmsEmulator['versionsOf']
}

export const keyAttemptsMost = 3
/** One more for a new token, and one more at once where bytes were corrupt. */
const extraAttempts = 2

export const googleKeys: Port<KeySubject> = {
  name: 'Keys in Cloud KMS',
  operations: keyOperations,
  openLane,
  seenOf: error => (error instanceof KeyError ? { code: error.code, transient: error.transient } : null),
  codes: {
    status: ['unavailable'],
    cut: ['unavailable'],
    corrupt: ['corrupted'],
    slow: ['unavailable'],
    'lost-acknowledgement': ['unavailable'],
    'expired-token': ['denied'],
  },
  attemptsMost: keyAttemptsMost + extraAttempts,
}

async function openLane(): Promise<Lane<KeySubject>> {
  await using stack = new AsyncDisposableStack()
  const emulator = stack.use(await startKmsEmulator({ keyRings: [keyRing] }))
  trustCertificate(emulator)
  let tokens = 0
  const open = (attemptTimeoutMs: number) =>
    createGoogleKeyService({
      keyRing,
      protection: 'SOFTWARE',
      rotationDays: 90,
      destroyDays: 30,
      endpoint: emulator.endpoint,
      authClient: identityWith(() => `token-${++tokens}`),
      attemptTimeoutMs,
      callTimeoutMs: attemptTimeoutMs * (keyAttemptsMost + extraAttempts),
      attemptsMost: keyAttemptsMost,
      random: () => 0,
    })
  const other = stack.use(open(patientMs))
  const opened = stack.move()
  return {
    faults: emulator.faults,
    requests: () => emulator.calls,
    async open({ attemptTimeoutMs }) {
      const service = open(attemptTimeoutMs)
      // Connects, and learns nothing of keys.
      await service.inspect()
      return {
        service,
        other,
        keyRing,
        versionsOf: emulator.versionsOf,
        [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
