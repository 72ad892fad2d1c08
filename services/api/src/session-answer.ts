// How a sign-in is answered: with the token, or to a browser with the cookie and without it.
import type { Session } from '@auricle/contract'
import { endedSessionCookie, type HttpIdentity, sessionCookie } from '@auricle/identity'
import type { Request, Response } from 'express'

/** Sets the cookie of a session that has just begun; it takes the place of whatever the browser held before. */
export function giveCookie(
  response: Response,
  { token, expiresAt }: Pick<Session, 'token' | 'expiresAt'>,
  now: Date,
): void {
  response.append('Set-Cookie', sessionCookie(token, { expiresAt: new Date(expiresAt), now }))
}

/** Takes the cookie away where the session that has just ended came by it. */
export function takeCookie(
  identity: Pick<HttpIdentity<object>, 'carrierOf'>,
  request: Request,
  response: Response,
): void {
  if (identity.carrierOf(request) === 'cookie') response.append('Set-Cookie', endedSessionCookie)
}

/** 201, never kept by any cache. */
export function answerSession(
  response: Response,
  session: Session,
  { isCookie, now }: { readonly isCookie: boolean; readonly now: Date },
): void {
  response.status(201).set('Cache-Control', 'no-store')
  if (!isCookie) {
    response.json(session)
    return
  }
  giveCookie(response, session, now)
  const { token: _, tokenType: __, ...shown } = session
  response.json(shown)
}
