// A real SMTP server of a test: TLS by a certificate of its own, accounts, and what it took.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

const run = promisify(execFile)

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** As it came over the wire. */
  readonly text: string
  readonly isEncrypted: boolean
}

export interface MailServer extends AsyncDisposable {
  readonly port: number
  /** PEM of the certificate, which is its own CA. */
  readonly ca: string
  /** Where the certificate lies. */
  readonly caFile: string
  readonly mails: readonly Mail[]
}

export async function startMailServer(change: SMTPServerOptions = {}): Promise<MailServer> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'auricle-mail-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const caFile = join(folder, 'server.pem')
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', join(folder, 'server.key'), '-out', caFile],
  ])
  const ca = await readFile(caFile, 'utf8')
  const mails: Mail[] = []
  const server = new SMTPServer({
    ...{ key: await readFile(join(folder, 'server.key')), cert: ca, authOptional: true, logger: false },
    onData(stream, session, callback) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(pieces).toString('utf8'),
          isEncrypted: session.secure,
        })
        callback()
      })
    },
    ...change,
  })
  // What a client breaks off is an error to the server.
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  opening.defer(() => new Promise<void>(resolve => server.close(() => resolve())))
  const { port } = server.server.address() as AddressInfo
  const open = opening.move()
  return { port, ca, caFile, mails, [Symbol.asyncDispose]: () => open.disposeAsync() }
}
