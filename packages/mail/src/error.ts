// Failures of sending that a caller can tell apart. No message holds an address, or what a server said.

/**
 * `unreachable`: no answer, or the connection broke. `insecure`: the server does not speak TLS, or not as itself.
 * `unauthenticated`: it does not take the password. `refused`: it does not take the message.
 */
export type MailErrorCode = 'unreachable' | 'insecure' | 'unauthenticated' | 'refused'

export class MailError extends Error {
  override readonly name = 'MailError'
  readonly code: MailErrorCode
  constructor(code: MailErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
