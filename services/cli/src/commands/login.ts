// `auricle login` and `logout`: the same sign-in as over HTTP, with the session kept in the person's own folder.
import { randomUUID } from 'node:crypto'
import type { Authority } from '@auricle/api-service'
import { SignIn } from '@auricle/contract'
import { createPasswords, hashRecoveryCode, nextLockout, verifyTotp } from '@auricle/identity'
import { endSession, isError, type RequestFacts, signIn } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { dropSession, keepSession } from '../person.ts'
import { ask } from '../prompt.ts'

export async function login(
  operator: Operator,
  output: Output,
  { issueToken }: Pick<Authority, 'issueToken'>,
  asked: { readonly tenant: string | undefined; readonly login: string | undefined; readonly file: string },
): Promise<void> {
  const credentials = SignIn.safeParse({
    tenant: asked.tenant ?? (await ask({ text: 'the tenant' }, operator)),
    login: asked.login ?? (await ask({ text: 'the login' }, operator)),
    password: await ask({ text: 'the password', secret: true }, operator),
    ...codeOf(await ask({ text: 'the code of the authenticator app, or a recovery code' }, operator)),
  })
  if (!credentials.success)
    throw new UsageError('A login needs tenant, login, password and a code of six digits, or a recovery code')
  const { verifyPassword } = createPasswords()
  const parts = { ...operator, verifyPassword, verifyTotp, hashRecoveryCode, nextLockout, issueToken }
  const facts = { request: randomUUID(), ip: null, userAgent: 'auricle command' }
  const session = await signIn(parts, credentials.data, facts, operator).catch((error: unknown) => {
    if (!isError(error, 'VaultError', 'bad_credentials') && !isError(error, 'VaultError', 'locked'))
      throw error
    throw new UsageError(error instanceof Error ? error.message : 'Not signed in', { cause: error })
  })
  await keepSession(asked.file, session.token)
  const { token, ...shown } = session
  const lines = [
    `Signed in as ${session.user.name} until ${formatTime(new Date(session.expiresAt))}`,
    ...(session.recoveryCodesLeft === undefined
      ? []
      : [`Recovery codes that are left: ${session.recoveryCodesLeft}`]),
  ]
  output.value(shown, lines.join('\n'))
}

/** An app shows six digits and nothing else; a recovery code has sixteen characters, and letters nearly always. */
const codeOf = (typed: string) => (/^\d{6}$/.test(typed) ? { code: typed } : { recoveryCode: typed })

export async function logout(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  file: string,
): Promise<void> {
  await endSession(operator, person, operator)
  await dropSession(file)
  output.value({ signedOut: true }, 'Signed out')
}
