// Back-channel logout: the provider says, behind the person's back, that a session of theirs has ended
// (OpenID Connect Back-Channel Logout 1.0).
import { z } from 'zod'
import { badToken, verifyForeignJwt } from '../issuer/foreign-jwt.ts'
import { maxTokenCharacters } from '../issuer/peek.ts'
import type { Discovered } from './discovery.ts'
import type { OidcSettings } from './settings.ts'

export interface LogoutNotice {
  /** Whose sessions end. At least one of `subject` and `sid` is there; where both are, that one session ends. */
  readonly subject: string | null
  readonly sid: string | null
  /** To be accepted once. */
  readonly jti: string
  /** From when on the token is refused for its age, so that its `jti` may be forgotten. */
  readonly expiresAt: Date
}

/** Providers send a token as soon as they have made it, and section 2.4 wants its life short. */
const maxAgeSeconds = 300
const clockToleranceSeconds = 30
/** Of section 2.4; older providers sign it as any JWT. */
const types = ['logout+jwt', 'jwt']

const Text = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u)
const Claims = z.object({
  sub: Text.optional(),
  sid: Text.optional(),
  jti: Text,
  events: z.object({
    'http://schemas.openid.net/event/backchannel-logout': z.record(z.string(), z.unknown()),
  }),
  /** Keeps ID tokens from being used as logout tokens (section 2.4). */
  nonce: z.undefined().optional(),
})

/** Throws `IdentityError`: `bad_token` or `provider_unavailable`. Abort means: stop waiting for keys. */
export async function verifyLogoutToken(
  token: string,
  {
    found,
    settings,
    now,
    signal,
  }: {
    readonly found: Discovered
    readonly settings: OidcSettings
    readonly now: Date
    readonly signal: AbortSignal | undefined
  },
): Promise<LogoutNotice> {
  const claims = await verifyForeignJwt(
    token,
    {
      keys: found.keys,
      algorithms: found.algorithms,
      issuer: found.metadata.issuer,
      audience: settings.clientId,
      types,
      maxCharacters: maxTokenCharacters,
      clockToleranceSeconds,
      now,
      // Whoever can reach us can send one.
      isFromProvider: false,
    },
    { signal },
  )
  const parsed = Claims.safeParse(claims)
  if (!parsed.success) throw badToken('its claims are not those of a logout token', parsed.error)
  const { sub, sid, jti } = parsed.data
  if (sub === undefined && sid === undefined) throw badToken('it names nobody')
  const lastSecond = Math.min(claims.exp, claims.iat + maxAgeSeconds) + clockToleranceSeconds
  if (now.getTime() / 1000 >= lastSecond) throw badToken('it is too old')
  return { subject: sub ?? null, sid: sid ?? null, jti, expiresAt: new Date(lastSecond * 1000) }
}
