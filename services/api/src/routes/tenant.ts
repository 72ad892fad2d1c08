// The tenant's own limits: shown, and made stricter.

import type { Session } from '@auricle/contract'
import { Name, TenantId } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { changeTenant, showTenant, type TenantParts, tenantBounds } from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { type Handler, ok, type RouteOf } from '../route.ts'

const within = ({ least, most }: { readonly least: number; readonly most: number }) =>
  z.int().min(least).max(most)

const { idleMinutes, sessionHours, breakGlassMinutes, reviewHours } = tenantBounds

const limits = {
  /** Without a request for as long, a session ends. */
  idleMinutes: within(idleMinutes),
  /** However busy, a session ends after this; in quarters of an hour. */
  sessionHours: z.number().min(sessionHours.least).max(sessionHours.most).multipleOf(0.25),
  /** How long emergency access lasts. */
  breakGlassMinutes: within(breakGlassMinutes),
  /** Within this, emergency access must be reviewed. */
  reviewHours: within(reviewHours),
}

const Tenant = z.strictObject({
  id: TenantId,
  shortName: z.string(),
  name: z.string(),
  idleMinutes: z.number(),
  sessionHours: z.number(),
  breakGlassMinutes: z.number(),
  reviewHours: z.number(),
})

const TenantPatch = z
  .strictObject({ name: Name, ...limits })
  .partial()
  .refine(patch => Object.values(patch).some(value => value !== undefined), 'something to change')

/** Under the names the document gives them. */
export const schemas = { Tenant, TenantPatch } as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'showTenant',
    method: 'get',
    path: '/v1/tenant',
    needs: 'tenant.read',
    summary: 'Show the tenant',
    description: 'Its name, and how long sign-ins and emergency access last.',
    answers: [ok('Tenant', 'The tenant.')],
    problems: ['denied'],
  },
  {
    operationId: 'changeTenant',
    method: 'patch',
    path: '/v1/tenant',
    needs: 'tenant.manage',
    summary: "Change the tenant's limits",
    description:
      'For sessions and emergency access that begin from then on: at once in the process that answers, within five ' +
      'minutes in every other. None may be laxer than what the product allows.',
    body: 'TenantPatch',
    answers: [ok('Tenant', 'The tenant as it is now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface TenantRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly tenant: TenantParts
}

export function createTenantHandlers({ identity, tenant }: TenantRouteParts) {
  return {
    async showTenant(request, response) {
      response.json(await showTenant(tenant, factsOf(identity, request), exchangeOf(request)))
    },
    async changeTenant(request, response) {
      const patch = TenantPatch.parse(request.body)
      response.json(await changeTenant(tenant, factsOf(identity, request), patch, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
