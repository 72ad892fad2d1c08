// The API service of a test vault, in this process and on a port of its own, with tokens for its people.
import { type ApiParts, openAuthority, startApi } from '@auricle/api-service'
import type { TokenRow } from '@auricle/catalog'
import { newTokenId, Scope } from '@auricle/contract'
import { newOpaqueToken } from '@auricle/identity'
import { createMetrics } from '@auricle/runtime'
import { auditRecord, issueProgramToken } from '@auricle/vault'
import { type CapturedLog, captureLog } from './captured-log.ts'
import type { Person, TestVault } from './vault.ts'

const shutdownGraceMs = 5_000
const tokenMs = 60 * 60_000

export interface Front extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly log: CapturedLog
  readonly stop: AbortController
  /** An opaque token of a program of the person, new each time. */
  tokenOf(person: Person): Promise<string>
  /** A session of the person, as if they had signed in just now; `change` makes its row another. */
  sessionOf(
    person: Person,
    change?: Partial<TokenRow>,
  ): Promise<{ readonly token: string; readonly row: TokenRow }>
  /** Signs the token of a row that is not there, or not so. */
  sign(row: TokenRow): Promise<string>
}

/** `change` puts something else in the place of a part of the vault. */
export async function openFront(
  vault: TestVault,
  change: Partial<
    Pick<
      ApiParts,
      | 'catalog'
      | 'log'
      | 'objects'
      | 'keys'
      | 'noteKeyUse'
      | 'limits'
      | 'now'
      | 'streams'
      | 'metrics'
      | 'decide'
    >
  > & { readonly publicUrl?: string } = {},
): Promise<Front> {
  const log = captureLog()
  const stop = new AbortController()
  const { publicUrl = null, ...changed } = change
  const config: ApiParts['config'] = {
    api: { host: '127.0.0.1', port: 0, publicUrl },
    ingest: { host: '127.0.0.1', port: 0, publicUrl: 'https://pbx.vault.example' },
    witnesses: [],
    reportStore: { kind: 'folder', folder: '/reports' },
    mail: { from: 'auricle@vault.example' },
    shutdownGraceMs,
  }
  const parts = {
    ...vault,
    keys: vault.keyService,
    config,
    logger: log.logger,
    metrics: createMetrics(),
    ...changed,
  }
  const now = () => change.now?.() ?? new Date()
  const listening = await startApi(parts, { signal: stop.signal })
  const { issueToken } = await openAuthority(vault, {})
  return {
    url: listening.url,
    port: listening.port,
    log,
    stop,
    async tokenOf({ row }) {
      const { catalog } = vault
      const made = { lifetimeMs: tokenMs, scopes: Scope.options, name: null }
      const { token } = await issueProgramToken({ catalog, newOpaqueToken }, row, made, {})
      return token
    },
    async sessionOf({ row: user }, rowChange = {}) {
      const { tenantId, id: userId } = user
      const tenant = await vault.catalog.findTenant(tenantId)
      const at = now()
      const row: TokenRow = {
        id: newTokenId(),
        tenantId,
        userId,
        purpose: 'session',
        createdAt: at,
        expiresAt: new Date(at.getTime() + (tenant?.access.sessionMs ?? tokenMs)),
        idleMs: tenant?.access.idleMs ?? null,
        scopes: null,
        name: null,
        secretHash: null,
        factors: ['pwd', 'otp'],
        verifiedAt: at,
        ...rowChange,
      }
      const actor = { type: 'person', userId, tokenId: row.id } as const
      const opened = { tenantId, action: 'session.opened', outcome: 'allowed', actor, object: null } as const
      await vault.catalog.addToken(row, await auditRecord({ ...opened, request: null }, null))
      return { token: await issueToken(row), row }
    },
    sign: issueToken,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}
