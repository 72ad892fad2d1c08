export type {
  Action,
  Actor,
  Circumstances,
  Decide,
  Decision,
  MailboxRelation,
  Resource,
  SelfAction,
  TokenFacts,
  UserActor,
} from './actor.ts'
export { type BearerClaims, type BearerVerifier, createBearerVerifier } from './bearer-claims.ts'
export {
  type AuthenticateBearer,
  type Carrier,
  createBearerStrategy,
  type Refusal,
} from './bearer-strategy.ts'
export { can } from './can.ts'
export { emergencyCodeHash, newEmergencyCode, parseEmergencyCode } from './emergency-code.ts'
export { IdentityError, type IdentityErrorCode } from './error.ts'
export type { GateOptions } from './gate.ts'
export {
  createHttpIdentity,
  type HttpIdentity,
  type HttpIdentityParts,
} from './http-identity.ts'
export type { HttpHandler, HttpRequest } from './http-request.ts'
export { type ForeignAlgorithm, foreignAlgorithms } from './issuer/foreign-jwt.ts'
export {
  createIssuerVerifier,
  type ForeignBearer,
  type IssuerSettings,
  type IssuerVerifier,
  type IssuerVerifierOptions,
} from './issuer/issuer-verifier.ts'
export { type Claimed, claimedOf } from './issuer/peek.ts'
export { type Failures, nextLockout } from './lockout.ts'
export { createOidcCallback, type OidcCallbackHandler } from './oidc/http-callback.ts'
export type { OidcIdentity } from './oidc/identity.ts'
export type { LogoutNotice } from './oidc/logout-token.ts'
export { type Admission, type GroupRule, mapGroups } from './oidc/map-groups.ts'
export { createOidcStrategy, type OidcCallback, type SignInAtProvider } from './oidc/oidc-strategy.ts'
export {
  createOidcClient,
  type OidcAttempt,
  type OidcClient,
  type OidcClientOptions,
  type OidcPurpose,
} from './oidc/provider.ts'
export { type OidcSettings, oidcClaimsDefault } from './oidc/settings.ts'
export {
  isOpaqueToken,
  newInvitation,
  newOpaqueToken,
  type OpaqueToken,
  type OpaqueTokenKind,
  type ParsedOpaqueToken,
  parseInvitation,
  parseOpaqueToken,
} from './opaque-token.ts'
export { isFromOwnOrigin, loopbackOrigin } from './own-origin.ts'
export {
  createPasskeys,
  type Passkey,
  type PasskeyAssertion,
  type PasskeyParties,
  type PasskeyRequest,
  type Passkeys,
  type PasskeyUser,
} from './passkey.ts'
export { credentialIdOf, userHandleOf } from './passkey-response.ts'
export { createPasswords, type Passwords } from './password.ts'
export { checkPassword, passwordLengths } from './password-rule.ts'
export { createPasswordStrategy, type SignInWith } from './password-strategy.ts'
export {
  hashRecoveryCode,
  newRecoveryCodes,
  parseRecoveryCode,
  recoveryCodeCount,
  recoveryCodeHash,
} from './recovery-code.ts'
export type { TokenRefusal } from './refused-token.ts'
export { freshMs, isAction, isSelfAction } from './rules.ts'
export { endedSessionCookie, sessionCookie, sessionCookieName } from './session-cookie.ts'
export {
  type NewToken,
  signToken,
  type TokenCheck,
  type TokenClaims,
  type TokenParties,
  verifyToken,
} from './token.ts'
export {
  createTokenKeys,
  newTokenKey,
  type TokenKeyPair,
  type TokenKeys,
  type TokenSigningKey,
} from './token-key.ts'
export { createTokenVerifier, type TokenVerifier, type TokenVerifierOptions } from './token-verifier.ts'
export { type NewTotp, newTotp, type TotpCheck, totpCode, verifyTotp } from './totp.ts'
