// The description of this API.
import { z } from 'zod'
import { type Handler, ok, type RouteOf } from '../route.ts'

/** The OpenAPI document itself. */
const Document = z.looseObject({ openapi: z.string() })

/** Under the names the document gives them. */
export const schemas = {
  Document,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'showOpenApi',
    method: 'get',
    path: '/v1/openapi.json',
    needs: 'public',
    summary: 'This document',
    description: 'The description of this API in OpenAPI 3.1.',
    answers: [ok('Document', 'The document.')],
    problems: [],
  },
] as const satisfies readonly RouteOf<string>[]

export function createDocumentHandlers({ document }: { readonly document: object }) {
  return {
    async showOpenApi(_request, response) {
      response.json(document)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
