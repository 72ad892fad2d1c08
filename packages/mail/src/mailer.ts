// Sends plain text through the deployment's mail server, over TLS or not at all.
import { Socket } from 'node:net'
import { createTransport } from 'nodemailer'
import { MailError, type MailErrorCode } from './error.ts'

export interface MailSettings {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte. `starttls`: asked for first, and nothing is sent to a server without it. */
  readonly tls: 'implicit' | 'starttls'
  /** PEM of a CA of its own; null for those of the system. */
  readonly ca: string | null
  readonly username: string | null
  readonly password: string | null
  /** Who the mail is from. */
  readonly from: string
}

export interface Message {
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  /** The same for the same message, so that whoever gets it twice is shown it once. */
  readonly id: string
}

export interface Mailer {
  /** Resolves once the server has taken it for everybody. An abort ends the connection; the server may have taken it. */
  send(message: Message, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
}

/** A server that says nothing for as long is no server. */
const silenceMs = 20_000

export function createMailer({ host, port, tls, ca, username, password, from }: MailSettings): Mailer {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    async send({ to, subject, text, id }, { signal } = {}) {
      signal?.throwIfAborted()
      // Of our own, since the transport cannot be told to let go of one.
      const socket = new Socket()
      const transport = createTransport({
        socket,
        ...{ host, port, secure: tls === 'implicit', requireTLS: true },
        ...{ connectionTimeout: silenceMs, greetingTimeout: silenceMs, socketTimeout: silenceMs },
        tls: { minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
        ...(username === null ? {} : { auth: { user: username, pass: password ?? '' } }),
        // A message is what it is given here: nothing is read from a file or fetched.
        ...{ disableFileAccess: true, disableUrlAccess: true },
      })
      const onAbort = (): void => {
        // Without an error it would be waited for.
        socket.destroy(new Error('aborted'))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        const { rejected } = await transport.sendMail({
          from,
          to: [...to],
          subject,
          text,
          messageId: `<${id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
        if (rejected.length > 0)
          throw new MailError('refused', 'The mail server does not take the message for everybody')
      } catch (error) {
        signal?.throwIfAborted()
        throw toMailError(error)
      } finally {
        signal?.removeEventListener('abort', onAbort)
        transport.close()
        socket.destroy()
      }
    },
  }
}

const codes: Readonly<Record<string, MailErrorCode>> = {
  ETLS: 'insecure',
  EAUTH: 'unauthenticated',
  ENOAUTH: 'unauthenticated',
  EENVELOPE: 'refused',
  EMESSAGE: 'refused',
}

const sentences: Readonly<Record<MailErrorCode, string>> = {
  unreachable: 'The mail server cannot be reached, or broke off',
  insecure: 'The mail server does not speak TLS as it must',
  unauthenticated: 'The mail server does not take the name and password',
  refused: 'The mail server does not take the message',
}

function toMailError(error: unknown): MailError {
  if (error instanceof MailError) return error
  const found = error instanceof Error && 'code' in error ? String(error.code) : ''
  // The code of what Node does not believe of a certificate is overwritten on the way; its words are not.
  const isCertificate = error instanceof Error && /certificate|altnames|\bssl\b/i.test(error.message)
  const code = isCertificate ? 'insecure' : (codes[found] ?? 'unreachable')
  return new MailError(code, sentences[code], { cause: error })
}
