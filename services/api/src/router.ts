// Turns the table of routes into a router: every route gets the guard that it declares, or does not exist.

import type { Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type IRouter, type RequestHandler, Router } from 'express'
import type { Handlers } from './handlers.ts'
import type { Route } from './routes-table.ts'

export interface RouterParts {
  readonly routes: readonly Route[]
  readonly handlers: Handlers
  readonly identity: HttpIdentity<Session>
  /** Runs before the guard of every route. */
  readonly parseBody: RequestHandler
}

export function apiRoutes({ routes, handlers, identity, parseBody }: RouterParts): IRouter {
  const router = Router({ caseSensitive: true, strict: true })
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
    const chain = [
      ...(route.method === 'get' ? [] : [parseBody]),
      ...guardsOf(route, identity),
      handlers[route.operationId],
    ]
    router[route.method](path, ...(chain as RequestHandler[]))
  }
  return router
}

function guardsOf(route: Route, identity: HttpIdentity<Session>): unknown[] {
  if (route.operationId === 'signIn') return [identity.signIn]
  if (route.needs === 'public') return []
  // The player looks token, person and mailbox up itself, in the one query that a range request can afford.
  if (route.needs === 'recording.play') return [identity.requireToken]
  return [identity.requireActor]
}
