// A tenant's OpenID providers and the foreign issuers whose tokens it takes, as administrators write and read them.
import { z } from 'zod'
import { Role, Scope } from './access.ts'
import { IssuerId, ProviderId, TeamId, UserId } from './ids.ts'

const groupsMost = 200
const valuesMost = 20
const teamsMost = 50
const toleranceSecondsMost = 60
const toleranceSecondsDefault = 30
const lifetimeSecondsMost = 24 * 60 * 60
const lifetimeSecondsDefault = 60 * 60

/** Of one line, so that it can stand in a header, a log and a table. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must be one line of text')
const Name = line(128)
const Address = z.url({ protocol: /^https?$/ }).max(1024)
/** RFC 6749 section 3.3. */
const Token = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a word without spaces and quotes')

/** What everybody in a group of the provider is given. */
const GroupRule = z.strictObject({
  group: line(256),
  roles: z.array(Role).max(Role.options.length),
  teams: z.array(TeamId).max(teamsMost).default([]),
})

export const ProviderSettings = z.strictObject({
  /** Asked for beside `openid`. */
  scopes: z.array(Token).max(valuesMost).default(['profile']),
  /** A wish, most wanted first. */
  acrValues: z.array(Token).max(valuesMost).default([]),
  /** `acr` must be one of these. Empty: any. */
  requiredAcr: z.array(Token).max(valuesMost).default([]),
  /** `amr` must hold one of these. Empty: any. Where both are empty nobody gets in. */
  requiredAmr: z.array(Token).max(valuesMost).default([]),
  groupsClaim: line(255).default('groups'),
  loginClaim: line(255).default('preferred_username'),
  nameClaim: line(255).default('name'),
  groups: z.array(GroupRule).max(groupsMost).default([]),
  /** Whether somebody in a group that gives a role is made a person here when they first come. */
  provision: z.boolean().default(false),
})
export type ProviderSettings = z.infer<typeof ProviderSettings>

const ClientSecret = z.string().min(1).max(1024)

export const NewProvider = z.strictObject({
  name: Name,
  issuer: Address,
  clientId: line(255),
  clientSecret: ClientSecret,
  settings: ProviderSettings,
})
export type NewProvider = z.infer<typeof NewProvider>

/** What is left out stays; `settings` are replaced whole. */
export const ProviderPatch = z.strictObject({
  name: Name.optional(),
  clientSecret: ClientSecret.optional(),
  settings: ProviderSettings.optional(),
})
export type ProviderPatch = z.infer<typeof ProviderPatch>

export const ProviderView = z.strictObject({
  id: ProviderId,
  name: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  /** To be registered with the provider, letter for letter. */
  redirectUri: z.string(),
  backChannelLogoutUri: z.string(),
  settings: ProviderSettings,
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().nullable(),
})
export type ProviderView = z.infer<typeof ProviderView>

export const ProviderList = z.strictObject({ providers: z.array(ProviderView) })

/** What is wrong with a provider, in sentences; empty where nothing is. */
export const ProviderCheck = z.strictObject({ ok: z.boolean(), findings: z.array(z.string()) })
export type ProviderCheck = z.infer<typeof ProviderCheck>

/** How somebody of a tenant may sign in. */
export const SignInWays = z.strictObject({
  local: z.literal(true),
  providers: z.array(z.strictObject({ id: ProviderId, name: z.string() })),
})
export type SignInWays = z.infer<typeof SignInWays>

/** Who somebody is at a provider: its `sub`. */
export const ExternalSubject = z.strictObject({ subject: line(255) })

export const IssuerSettings = z.strictObject({
  jwksUri: Address,
  algorithms: z.array(z.enum(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'])).min(1),
  /** A claim, and the one text it must hold; null where the issuer serves this organisation alone. */
  tenantClaim: z
    .strictObject({ name: line(255), value: line(255) })
    .nullable()
    .default(null),
  clockToleranceSeconds: z.int().min(0).max(toleranceSecondsMost).default(toleranceSecondsDefault),
  maxLifetimeSeconds: z.int().min(1).max(lifetimeSecondsMost).default(lifetimeSecondsDefault),
})
export type IssuerSettings = z.infer<typeof IssuerSettings>

export const NewIssuer = z.strictObject({
  name: Name,
  /** As `iss` of its tokens spells it. */
  issuer: line(1024),
  audience: line(1024),
  settings: IssuerSettings,
})
export type NewIssuer = z.infer<typeof NewIssuer>

export const IssuerPatch = z.strictObject({ settings: IssuerSettings })

export const IssuerView = z.strictObject({
  id: IssuerId,
  name: z.string(),
  issuer: z.string(),
  audience: z.string(),
  settings: IssuerSettings,
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().nullable(),
})
export type IssuerView = z.infer<typeof IssuerView>

export const IssuerList = z.strictObject({ issuers: z.array(IssuerView) })

/** As whom a subject of the issuer acts, and for what at most. */
export const IssuerSubject = z.strictObject({
  subject: line(255),
  user: UserId,
  scopes: z.array(Scope).min(1).max(Scope.options.length),
})
export type IssuerSubject = z.infer<typeof IssuerSubject>

export const IssuerSubjectList = z.strictObject({ subjects: z.array(IssuerSubject) })
