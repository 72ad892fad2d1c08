// Turns the table of routes into a router: every route gets the guard that it declares, or does not exist.

import { problems, type Session } from '@auricle/contract'
import { type HttpIdentity, isAction, isSelfAction, type SelfAction } from '@auricle/identity'
import { type IRouter, type RequestHandler, Router } from 'express'
import type { Handlers } from './handlers.ts'
import { sendProblem } from './problem.ts'
import { exchangeOf } from './request.ts'
import type { Route } from './routes-table.ts'

export interface RouterParts {
  readonly routes: readonly Route[]
  readonly handlers: Handlers
  readonly identity: HttpIdentity<Session>
  /** Lets those through who may do this to what is their own. */
  readonly decideSelf: (action: SelfAction) => RequestHandler
  /** Runs before the guard of every route. */
  readonly parseBody: RequestHandler
}

export function apiRoutes(parts: RouterParts): IRouter {
  const { routes, handlers, parseBody } = parts
  const router = Router({ caseSensitive: true, strict: true })
  for (const route of routes) {
    const chain = [
      ...(route.method === 'get' ? [] : [parseBody]),
      ...guardsOf(route, parts),
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

/** A route that says nothing, or something that nobody decides, does not start. */
function guardsOf(route: Route, { identity, decideSelf }: RouterParts): unknown[] {
  const { needs, operationId } = route
  if (operationId === 'signIn') return [identity.signIn]
  if (needs === 'public') return []
  if (!isAction(needs)) throw new TypeError(`the route ${operationId} does not declare what it needs`)
  // The player looks token, person and mailbox up itself, in the one query that a range request can afford.
  if (needs === 'recording.play') return [identity.requireToken]
  return isSelfAction(needs) ? [identity.requireActor, decideSelf(needs)] : [identity.requireActor]
}
