// How a route is written down: what it takes, what it needs, what it answers.
import type { ProblemName } from '@auricle/contract'
import type { Action } from '@auricle/identity'
import type { Request, Response } from 'express'
import type { z } from 'zod'

export type Handler = (request: Request, response: Response) => Promise<void>

export interface Answer {
  readonly status: number
  readonly description: string
  /** JSON of a schema by its name in the document, bytes of some content type, or nothing. */
  readonly body:
    | {
        readonly type: 'json'
        readonly schema: string
        /** The content types of other bytes that say the same, for who asks for them. */
        readonly orBytes?: string | readonly string[]
      }
    | { readonly type: 'bytes'; readonly contentType: string }
    | null
  /** Response headers by name, with what each says. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface RouteOf<Id extends string> {
  readonly operationId: Id
  /** A `get` is served for HEAD too, with the same headers and no body. */
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As OpenAPI writes it. */
  readonly path: string
  /** Each `{name}` of the path; a recording's `{id}` where nothing is said. */
  readonly params?: Readonly<Record<string, { readonly schema: z.ZodType; readonly description: string }>>
  /**
   * The action that is decided, and logged, for the one who asks: `self.` actions by the router, all others by the use
   * case, which alone knows the thing. `public` for everybody.
   */
  readonly needs: Action | 'public'
  readonly summary: string
  readonly description: string
  readonly query?: { readonly schema: z.ZodObject; readonly notes: Readonly<Record<string, string>> }
  /** Name of the schema of the JSON body. */
  readonly body?: string
  /** Request headers that matter beyond the token, with what each does. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly answers: readonly Answer[]
  /** Refusals of this route; those that any route can give are added (see `commonProblems`). */
  readonly problems: readonly ProblemName[]
}

export const json = <Name extends string>(schema: Name) => ({ type: 'json', schema }) as const

export const ok = (schema: string, description: string): Answer => ({
  status: 200,
  description,
  body: json(schema),
})

export const created = (schema: string, description: string): Answer => ({
  status: 201,
  description,
  body: json(schema),
})

export const done = (description: string): Answer => ({ status: 204, description, body: null })

/** Problems that any route of the router may answer with, beyond its own. */
export function commonProblems(route: Pick<RouteOf<string>, 'needs'>): readonly ProblemName[] {
  const always = ['internal', 'unavailable'] as const
  // A cookie that another site makes use of is denied, whatever the route.
  return route.needs === 'public' ? always : ['unauthenticated', 'denied', ...always]
}
