// A clinic whose people sign in at a real OpenID provider: vault, API service, provider, and a clock that a test turns.
import { randomBytes } from 'node:crypto'
import { newProviderId, type ProviderId, ProviderSettings } from '@auricle/contract'
import { auditRecord } from '@auricle/vault'
import { type Front, openFront } from './front.ts'
import { type IdentityProvider, type ProviderAccount, startIdentityProvider } from './identity-provider.ts'
import { secondFactor } from './identity-sign-in.ts'
import { type Clinic, makeClinic, openTestVault, type TestVault } from './vault.ts'

const secretBytes = 24

export interface TestClock {
  /** How far it is ahead of the machine's. */
  aheadMs: number
  readonly now: () => Date
}

export interface ConnectedProvider extends AsyncDisposable {
  readonly id: ProviderId
  readonly provider: IdentityProvider
  readonly clientSecret: string
  /** Where a sign-in begins. */
  start(returnTo?: string): string
}

export interface ProviderClinic extends AsyncDisposable {
  readonly vault: TestVault
  readonly clinic: Clinic
  readonly front: Front
  readonly clock: TestClock
  /** One more provider of the clinic, or of another. */
  connect(
    accounts: readonly ProviderAccount[],
    settings?: Partial<ProviderSettings>,
    of?: Clinic,
  ): Promise<ConnectedProvider>
}

/** Who is in `clinicians` is a clinician; `auditors` likewise. */
const clinicGroups: ProviderSettings['groups'] = [
  { group: 'clinicians', roles: ['clinician'], teams: [] },
  { group: 'auditors', roles: ['auditor'], teams: [] },
  { group: 'administrators', roles: ['administrator'], teams: [] },
]

export const account = (login: string, groups: readonly string[] = ['clinicians']): ProviderAccount => ({
  subject: `subject-of-${login}`,
  login,
  name: `Name of ${login}`,
  groups,
})

export async function openProviderClinic(): Promise<ProviderClinic> {
  await using opening = new AsyncDisposableStack()
  const vault = opening.use(await openTestVault())
  const clinic = await makeClinic(vault)
  const clock: TestClock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) }
  const front = opening.use(await openFront(vault, { now: clock.now }))
  const opened = opening.move()

  async function connect(
    accounts: readonly ProviderAccount[],
    settings: Partial<ProviderSettings> = {},
    of: Clinic = clinic,
  ): Promise<ConnectedProvider> {
    const id = newProviderId()
    const base = `${front.url}/v1/sign-in/${id}`
    const clientSecret = randomBytes(secretBytes).toString('base64url')
    const client = {
      clientId: 'auricle',
      clientSecret,
      redirectUris: [`${base}/callback`],
      backchannelLogoutUri: `${base}/back-channel-logout`,
    }
    const provider = opened.use(await startIdentityProvider({ clients: [client], accounts }))
    const { columns } = await vault.secrets.get(of.tenant.id)
    const row = {
      id,
      tenantId: of.tenant.id,
      name: `Provider ${id}`,
      issuer: provider.issuer,
      clientId: client.clientId,
      settings: ProviderSettings.parse({
        acrValues: [secondFactor.acr],
        requiredAmr: ['mfa'],
        groups: clinicGroups,
        provision: true,
        ...settings,
      }),
      createdAt: new Date(),
      disabledAt: null,
    }
    const made = { tenantId: of.tenant.id, action: 'provider.created', outcome: 'allowed' } as const
    const event = await auditRecord(
      { ...made, actor: { type: 'system', name: 'operator' }, object: null, request: null },
      null,
    )
    await vault.catalog.createProvider(row, clientSecret, columns, { event, alert: null })
    return {
      id,
      provider,
      clientSecret,
      start: returnTo => (returnTo === undefined ? base : `${base}?${new URLSearchParams({ returnTo })}`),
      [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
    }
  }
  return { vault, clinic, front, clock, connect, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
