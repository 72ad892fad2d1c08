// What people and things of a tenant are called.
import { z } from 'zod'

/** As somebody types it to sign in; kept in lower case. */
export const Login = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._@+-]{0,127}$/, 'expected letters, digits and . _ @ + -')

/** Of a person, a team, a mailbox: one line, and nothing that a screen would obey. */
export const Name = z
  .string()
  .trim()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'expected one line')
