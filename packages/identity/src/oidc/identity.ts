// Who an ID token says was signed in, and whether by the factors that are demanded.
import { z } from 'zod'
import { IdentityError } from '../error.ts'
import { badAnswer } from './failure.ts'
import type { OidcSettings } from './settings.ts'

export interface OidcIdentity {
  readonly providerId: string
  /** Never given to another person; unique together with the provider. */
  readonly subject: string
  /** The session at the provider, which back-channel logout names. */
  readonly sid: string | null
  readonly login: string
  readonly name: string
  readonly groups: readonly string[]
  readonly acr: string | null
  readonly amr: readonly string[]
  readonly authenticatedAt: Date | null
}

const maxGroups = 500
const maxGroupCharacters = 256
const maxMethods = 32
/** As local people have it. */
const maxLoginCharacters = 128

const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u)
const Short = text(255)

const Claims = z.object({
  /** OpenID Connect Core section 2. */
  sub: Short,
  azp: z.string().optional(),
  sid: Short.optional(),
  acr: Short.optional(),
  amr: z.array(Short).max(maxMethods).optional(),
  auth_time: z.int().nonnegative().optional(),
})
const Login = text(maxLoginCharacters)
const Name = text(255)
/** Some providers spell one group as a text instead of a list. */
const Groups = z
  .union([
    z.array(text(maxGroupCharacters)).max(maxGroups),
    text(maxGroupCharacters).transform(group => [group]),
  ])
  .default([])

interface FreshnessCheck {
  readonly now: Date
  readonly maxAgeSeconds: number | null
  readonly clockToleranceSeconds: number
}

/**
 * `claims` are verified already. Throws `IdentityError`: `bad_provider_answer` where they are not what they must be,
 * `second_factor_missing` where `acr` or `amr` do not meet the demands.
 */
export function identityOf(
  claims: Readonly<Record<string, unknown>>,
  settings: OidcSettings,
  check: FreshnessCheck,
): OidcIdentity {
  const own = (name: string) => (Object.hasOwn(claims, name) ? claims[name] : undefined)
  const { sub, azp, sid, acr, amr = [], auth_time: authTime } = parse(Claims, claims)
  // openid-client looks at it only where there are several audiences.
  if (azp !== undefined && azp !== settings.clientId)
    throw badAnswer(new Error('it was issued to another client'))
  checkFreshness(authTime ?? null, check)
  demandFactors(settings, acr ?? null, amr)
  const login = parse(Login, own(settings.loginClaim))
  return {
    providerId: settings.id,
    subject: sub,
    sid: sid ?? null,
    login,
    name: parse(Name.default(login), own(settings.nameClaim)),
    groups: [...new Set(parse(Groups, own(settings.groupsClaim)))],
    acr: acr ?? null,
    amr,
    authenticatedAt: authTime === undefined ? null : new Date(authTime * 1000),
  }
}

/** openid-client looks at it, too, by a clock that is a second coarse. */
function checkFreshness(
  authTime: number | null,
  { now, maxAgeSeconds, clockToleranceSeconds }: FreshnessCheck,
): void {
  const seconds = now.getTime() / 1000
  if (authTime !== null && authTime > seconds + clockToleranceSeconds)
    throw badAnswer(new Error('they will have signed in only in the future'))
  if (
    maxAgeSeconds !== null &&
    (authTime === null || authTime + maxAgeSeconds < seconds - clockToleranceSeconds)
  )
    throw badAnswer(new Error('they signed in too long ago'))
}

/** Fails closed: a provider of which nothing is demanded proves no second factor. */
function demandFactors(
  { requiredAcr, requiredAmr }: OidcSettings,
  acr: string | null,
  amr: readonly string[],
): void {
  const isDemanded = requiredAcr.length > 0 || requiredAmr.length > 0
  const isClassMet = requiredAcr.length === 0 || (acr !== null && requiredAcr.includes(acr))
  const isMethodMet = requiredAmr.length === 0 || amr.some(method => requiredAmr.includes(method))
  if (isDemanded && isClassMet && isMethodMet) return
  throw new IdentityError(
    'second_factor_missing',
    'The identity provider signed this person in without the factors that are demanded',
  )
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw badAnswer(parsed.error)
  return parsed.data
}
