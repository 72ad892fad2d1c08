// How Cloud Storage refuses: a status, a reason for programs and a sentence for people.

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    reason: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.headers = headers
  }

  /** The body that the JSON API sends. */
  get body(): unknown {
    const { status, reason, message } = this
    const domain = reason === 'rateLimitExceeded' ? 'usageLimits' : 'global'
    return { error: { code: status, message, errors: [{ message, domain, reason }] } }
  }
}

export const invalid = (message: string) => new Refusal(400, 'invalid', message)

export const noSuchBucket = () => new Refusal(404, 'notFound', 'The specified bucket does not exist.')

export const noSuchObject = (bucket: string, name: string) =>
  new Refusal(404, 'notFound', `No such object: ${bucket}/${name}`)

export const conditionNotMet = () =>
  new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.')

export const tooManyRequests = (message: string) => new Refusal(429, 'rateLimitExceeded', message)

export function forbidden(caller: string, permission: string): Refusal {
  const kind = permission.startsWith('storage.buckets.') ? 'bucket' : 'object'
  const access = `${caller} does not have ${permission} access to the Google Cloud Storage ${kind}.`
  return new Refusal(
    403,
    'forbidden',
    `${access} Permission '${permission}' denied on resource (or it may not exist).`,
  )
}

export function unauthorized(hadToken: boolean): Refusal {
  const challenge = 'Bearer realm="https://accounts.google.com/"'
  return hadToken
    ? new Refusal(401, 'authError', 'Invalid Credentials', {
        'www-authenticate': `${challenge}, error="invalid_token"`,
      })
    : new Refusal(401, 'required', 'Anonymous caller does not have access: login required.', {
        'www-authenticate': challenge,
      })
}

/** What an injected status looks like. */
export function injectedStatus(status: number, retryAfterSeconds: number | undefined): Refusal {
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  if (status === 429) {
    return new Refusal(status, 'rateLimitExceeded', 'The rate of requests is too high.', headers)
  }
  if (status >= 500) {
    return new Refusal(status, 'backendError', 'We encountered an internal error. Please try again.', headers)
  }
  return new Refusal(status, 'invalid', `Refused with ${status}.`, headers)
}
