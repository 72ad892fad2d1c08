// What one signs in with: shown, added, replaced, removed.
import { AttemptId, PasskeyId, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  addPasskey,
  beginPasskey,
  beginTotp,
  changePassword,
  type OwnFactorParts,
  type OwnPasskeyParts,
  removePasskey,
  renamePasskey,
  replaceRecoveryCodes,
  replaceTotp,
  showFactors,
} from '@auricle/vault'
import type { Request } from 'express'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, done, type Handler, ok, type RouteOf } from '../route.ts'
import { BrowserAnswer } from './passkey-sessions.ts'

/** `true` ends the tokens of the person's programs too. */
const tokens = z.boolean().default(false)
const PasskeyName = z.string().trim().min(1).max(64)

const OwnPasskey = z.strictObject({
  id: PasskeyId,
  name: z.string(),
  createdAt: z.iso.datetime(),
  /** When it last signed; null where it never did. */
  usedAt: z.iso.datetime().nullable(),
  transports: z.array(z.string()),
  /** Whether it can be on several machines. */
  isMultiDevice: z.boolean(),
  isBackedUp: z.boolean(),
})

const OwnFactors = z.strictObject({
  password: z.boolean(),
  totp: z.boolean(),
  /** Whether a provider of identity signs the person in. */
  provider: z.boolean(),
  passkeys: z.array(OwnPasskey),
  recoveryCodesLeft: z.int().nonnegative(),
})

const NewPasskey = z.strictObject({ attempt: AttemptId, response: BrowserAnswer, name: PasskeyName, tokens })
const PasskeyPatch = z.strictObject({ name: PasskeyName })
const NewRecoveryCodes = z.strictObject({ tokens })
const RecoveryCodes = z.strictObject({ codes: z.array(z.string()) })
const TotpStart = z.strictObject({
  attempt: AttemptId,
  /** base32. */
  secret: z.string(),
  /** `otpauth://totp/...` */
  uri: z.string(),
})
const NewTotp = z.strictObject({ attempt: AttemptId, code: z.string().regex(/^\d{6}$/), tokens })
const NewPassword = z.strictObject({
  current: z.string().min(1).max(1024),
  /** 12 to 1,024 characters that are not guessed first. */
  next: z.string().min(1).max(1024),
  tokens,
})
const RemoveQuery = z.strictObject({ tokens: z.stringbool().default(false) })

/** Under the names the document gives them. */
export const schemas = {
  NewPasskey,
  NewPassword,
  NewRecoveryCodes,
  NewTotp,
  OwnFactors,
  OwnPasskey,
  PasskeyPatch,
  RecoveryCodes,
  TotpStart,
} as const satisfies Record<string, z.ZodType>

const passkeyId = { id: { schema: PasskeyId, description: "The passkey's id." } }
const secure = ['stepUpRequired', 'denied'] as const

export const table = [
  {
    operationId: 'showOwnFactors',
    method: 'get',
    path: '/v1/me/factors',
    needs: 'self.manage',
    summary: 'What I sign in with',
    description: 'Which factors the person has; no secret of any.',
    answers: [ok('OwnFactors', 'The factors.')],
    problems: ['denied'],
  },
  {
    operationId: 'beginPasskey',
    method: 'post',
    path: '/v1/me/passkeys/options',
    needs: 'self.secure',
    summary: 'Begin to add a passkey',
    description: 'What the browser has to be asked for a new passkey.',
    answers: [ok('PasskeyRequest', 'To be answered once, within five minutes.')],
    problems: secure,
  },
  {
    operationId: 'addPasskey',
    method: 'post',
    path: '/v1/me/passkeys',
    needs: 'self.secure',
    summary: 'Add a passkey',
    description: 'The answer of the browser. Every other session of the person ends.',
    body: 'NewPasskey',
    answers: [created('OwnPasskey', 'The passkey.')],
    problems: ['malformed', 'badCredentials', 'conflict', 'tooLarge', ...secure],
  },
  {
    operationId: 'renamePasskey',
    method: 'patch',
    path: '/v1/me/passkeys/{id}',
    params: passkeyId,
    needs: 'self.secure',
    summary: 'Rename a passkey',
    description: 'No session ends.',
    body: 'PasskeyPatch',
    answers: [done('It has the name.')],
    problems: ['malformed', 'notFound', 'tooLarge', ...secure],
  },
  {
    operationId: 'removePasskey',
    method: 'delete',
    path: '/v1/me/passkeys/{id}',
    params: passkeyId,
    needs: 'self.secure',
    summary: 'Remove a passkey',
    description:
      'Every other session of the person ends. The last second factor of somebody with a password stays.',
    query: {
      schema: RemoveQuery,
      notes: { tokens: "`true` ends the tokens of the person's programs too." },
    },
    answers: [done('It opens nothing any more.')],
    problems: ['malformed', 'notFound', 'conflict', ...secure],
  },
  {
    operationId: 'replaceRecoveryCodes',
    method: 'post',
    path: '/v1/me/recovery-codes',
    needs: 'self.secure',
    summary: 'New recovery codes',
    description: 'Ten, shown once, in the place of those before. Every other session of the person ends.',
    body: 'NewRecoveryCodes',
    answers: [created('RecoveryCodes', 'The codes.')],
    problems: ['malformed', 'conflict', 'tooLarge', ...secure],
  },
  {
    operationId: 'beginTotp',
    method: 'post',
    path: '/v1/me/totp/options',
    needs: 'self.secure',
    summary: 'Begin to change the authenticator app',
    description: 'A new secret, shown once. Until a code proves it, the one before goes on.',
    answers: [ok('TotpStart', 'To be proved within a quarter of an hour.')],
    problems: secure,
  },
  {
    operationId: 'replaceTotp',
    method: 'post',
    path: '/v1/me/totp',
    needs: 'self.secure',
    summary: 'Change the authenticator app',
    description: 'A code of the new secret. Every other session of the person ends.',
    body: 'NewTotp',
    answers: [done('The new secret counts, and no other.')],
    problems: ['malformed', 'badCredentials', 'tooLarge', ...secure],
  },
  {
    operationId: 'changePassword',
    method: 'put',
    path: '/v1/me/password',
    needs: 'self.secure',
    summary: 'Change the password',
    description: 'Every other session of the person ends. A wrong `current` counts as a failed sign-in.',
    body: 'NewPassword',
    answers: [done('The new password counts, and no other.')],
    problems: ['malformed', 'badCredentials', 'conflict', 'tooLarge', 'tooManyAttempts', ...secure],
  },
] as const satisfies readonly RouteOf<string>[]

export interface OwnFactorRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly ownFactors: OwnFactorParts & OwnPasskeyParts
}

type PasskeyRow = Awaited<ReturnType<typeof addPasskey>>

const shown = (row: PasskeyRow): z.output<typeof OwnPasskey> => ({
  id: row.id,
  name: row.name,
  createdAt: row.createdAt.toISOString(),
  usedAt: row.usedAt?.toISOString() ?? null,
  transports: [...row.transports],
  isMultiDevice: row.isMultiDevice,
  isBackedUp: row.isBackedUp,
})

const idOf = (request: Request) => PasskeyId.parse(request.params['id'])

export function createOwnFactorHandlers({ identity, ownFactors: vault }: OwnFactorRouteParts) {
  return {
    async showOwnFactors(request, response) {
      const found = await showFactors(vault, factsOf(identity, request), exchangeOf(request))
      response.json({
        password: found.hasPassword,
        totp: found.hasTotp,
        provider: found.hasProvider,
        passkeys: found.passkeys.map(shown),
        recoveryCodesLeft: found.recoveryCodesLeft,
      } satisfies z.output<typeof OwnFactors>)
    },
    async beginPasskey(request, response) {
      response.json(await beginPasskey(vault, factsOf(identity, request), exchangeOf(request)))
    },
    async addPasskey(request, response) {
      const wanted = NewPasskey.parse(request.body)
      const passkey = await addPasskey(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(201).json(shown(passkey))
    },
    async renamePasskey(request, response) {
      const wanted = { id: idOf(request), ...PasskeyPatch.parse(request.body) }
      await renamePasskey(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(204).end()
    },
    async removePasskey(request, response) {
      const wanted = { id: idOf(request), ...RemoveQuery.parse(request.query) }
      await removePasskey(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(204).end()
    },
    async replaceRecoveryCodes(request, response) {
      const wanted = NewRecoveryCodes.parse(request.body ?? {})
      const codes = await replaceRecoveryCodes(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(201).json({ codes })
    },
    async beginTotp(request, response) {
      response.json(await beginTotp(vault, factsOf(identity, request), exchangeOf(request)))
    },
    async replaceTotp(request, response) {
      const wanted = NewTotp.parse(request.body)
      await replaceTotp(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(204).end()
    },
    async changePassword(request, response) {
      const wanted = NewPassword.parse(request.body)
      await changePassword(vault, factsOf(identity, request), wanted, exchangeOf(request))
      response.status(204).end()
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
