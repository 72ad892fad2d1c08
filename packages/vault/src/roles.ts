// Roles as the catalog keeps them, parsed.
import type { Role } from '@auricle/identity'
import { z } from 'zod'

const Roles = z.array(z.enum(['clinician', 'administrator']) satisfies z.ZodType<Role>)

/** Throws for a role that this version does not know: no right is guessed. */
export function parseRoles(roles: readonly string[]): readonly Role[] {
  return Roles.parse(roles)
}
