// A certificate for 127.0.0.1, made by the openssl program of the machine for one run.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate extends AsyncDisposable {
  /** PEM; its own root. */
  readonly certificate: Buffer
  readonly key: Buffer
  /** The certificate, for programs that are told of roots by a file's name. Removed when disposed. */
  readonly file: string
}

export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'kms-emulator-'))
  const [file, keyFile] = [join(folder, 'root.pem'), join(folder, 'key.pem')]
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    // Roots are told apart by their subject, and one process may come to trust several.
    ...['-subj', `/CN=KMS emulator ${randomUUID()}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-keyout', keyFile, '-out', file],
  ])
  return {
    certificate: await readFile(file),
    key: await readFile(keyFile),
    file,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
