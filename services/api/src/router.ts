// Turns the table of routes into a router: every route gets the guard that it declares, or does not exist.

import { problems, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type IRouter, type RequestHandler, Router } from 'express'
import type { Handlers } from './handlers.ts'
import { sendProblem } from './problem.ts'
import { exchangeOf } from './request.ts'
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
    const chain = [
      ...(route.method === 'get' ? [] : [parseBody]),
      ...guardsOf(route, identity),
      handlers[route.operationId],
    ]
    router[route.method](pattern(route.path), ...(chain as RequestHandler[]))
  }
  for (const [path, sameServed] of Map.groupBy(routes, route => route.path)) {
    const allowed = sameServed.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase()))
    router.all(pattern(path), (request, response) => {
      response.set('Allow', allowed.join(', '))
      sendProblem(response, { ...problems.methodNotAllowed, instance: exchangeOf(request).id })
    })
  }
  return router
}

const pattern = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')

function guardsOf(route: Route, identity: HttpIdentity<Session>): unknown[] {
  if (route.operationId === 'signIn') return [identity.signIn]
  if (route.needs === 'public') return []
  // The player looks token, person and mailbox up itself, in the one query that a range request can afford.
  if (route.needs === 'recording.play') return [identity.requireToken]
  return [identity.requireActor]
}
