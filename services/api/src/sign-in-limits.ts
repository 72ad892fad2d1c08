// How often one place, and one account, may try to sign in: each attempt costs a slow hash, right or wrong.
import type { SignIn } from '@auricle/contract'
import { addressGroup, enforce, type Limits, type Rate } from '@auricle/limits'

/** A clinic of some hundred people shares one address, and all of them come at eight o'clock. */
const ofAddress: Rate = { burst: 600, everyMs: 200 }
/** Of people who exist the lockout says more; this also holds for names that nobody has, so that it tells nothing. */
const ofAccount: Rate = { burst: 30, everyMs: 10_000 }

/** Throws `LimitsError('exceeded')`. Asked before anything is looked up. */
export async function limitSignIn(
  limits: Pick<Limits, 'take'>,
  { tenant, login }: Pick<SignIn, 'tenant' | 'login'>,
  address: string | null,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  await limitAddress(limits, address, options)
  await enforce(
    limits,
    `api:sign-in:account:${JSON.stringify([tenant, login.toLowerCase()])}`,
    ofAccount,
    options,
  )
}

/** Throws `LimitsError('exceeded')`. A sign-in at a provider asks twice: on the way there and on the way back. */
export async function limitProvider(
  limits: Pick<Limits, 'take'>,
  use: 'sign-in' | 'logout',
  address: string | null,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  await enforce(limits, `api:provider:${use}:address:${addressGroup(address)}`, ofAddress, options)
}

/** The same where nobody said yet who they are: passkeys and invitations tell that themselves. */
export async function limitAddress(
  limits: Pick<Limits, 'take'>,
  address: string | null,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  await enforce(limits, `api:sign-in:address:${addressGroup(address)}`, ofAddress, options)
}
