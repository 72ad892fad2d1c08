// The one kind of body that is no JSON: a form, for the one route whose callers are programs that know nothing else.
import { type Request, type Response, urlencoded } from 'express'

const formMaxBytes = 16 * 1024
const parse = urlencoded({ extended: false, limit: formMaxBytes })
const formType = /^application\/x-www-form-urlencoded\s*(?:;|$)/i

/** Its fields; null where the body is no form. Throws as Express does where it is broken or too large. */
export function readForm(request: Request, response: Response): Promise<unknown> {
  if (!formType.test(request.get('Content-Type') ?? '')) return Promise.resolve(null)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  parse(request, response, (error?: unknown) => {
    if (error === undefined || error === null) resolve(request.body)
    else reject(error)
  })
  return promise
}
