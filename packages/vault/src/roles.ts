// Roles as the catalog keeps them, parsed.
import { Role } from '@auricle/contract'
import { z } from 'zod'

const Roles = z.array(Role)

/** Throws for a role that this version does not know: no right is guessed. */
export function parseRoles(roles: readonly string[]): readonly Role[] {
  return Roles.parse(roles)
}
