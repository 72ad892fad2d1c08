// What a harness in another process may look at in the emulated Cloud KMS, and do to it.
import type { Controlled } from '../control.ts'
import type { KmsEmulator } from './server.ts'

export function controlKms(kms: KmsEmulator): Controlled {
  return {
    faults: kms.faults,
    get requests() {
      return kms.calls
    },
    uses: kms.uses,
    commands: {
      /** The PEM text, and the file that GRPC_DEFAULT_SSL_ROOTS_FILE_PATH of our services names. */
      'root-certificate': () => ({ text: kms.rootCertificate, file: kms.rootCertificateFile }),
      'create-key-ring': ({ name }) => kms.createKeyRing(text(name)),
      disable: ({ version }) => kms.disable(text(version)),
      enable: ({ version }) => kms.enable(text(version)),
      'schedule-destroy': ({ version }) => kms.scheduleDestroy(text(version)),
      restore: ({ version }) => kms.restore(text(version)),
      destroy: ({ version }) => kms.destroy(text(version)),
      'set-primary': ({ key, version }) => kms.setPrimary(text(key), Number(version)),
      'expire-token': ({ token }) => kms.expireToken(text(token)),
      'cut-connections': () => kms.cutAllConnections(),
      bindings: () => kms.bindings,
      'reset-calls': () => kms.resetCalls(),
    },
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('A name is a text')
  return value
}
