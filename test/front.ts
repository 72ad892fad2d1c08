// The API service of a test vault, in this process and on a port of its own, with tokens for its people.
import { type ApiParts, openAuthority, startApi } from '@auricle/api-service'
import { Scope } from '@auricle/contract'
import { createMetrics } from '@auricle/runtime'
import { issueProgramToken } from '@auricle/vault'
import { type CapturedLog, captureLog } from './captured-log.ts'
import type { Person, TestVault } from './vault.ts'

const shutdownGraceMs = 5_000
const tokenMs = 60 * 60_000

export interface Front extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly log: CapturedLog
  readonly stop: AbortController
  /** A bearer token of the person, new each time. */
  tokenOf(person: Person): Promise<string>
}

/** `change` puts something else in the place of a part of the vault. */
export async function openFront(
  vault: TestVault,
  change: Partial<Pick<ApiParts, 'catalog' | 'objects' | 'keys' | 'limits'>> = {},
): Promise<Front> {
  const log = captureLog()
  const stop = new AbortController()
  const config = {
    api: { host: '127.0.0.1', port: 0, publicUrl: null },
    ingest: { host: '127.0.0.1', port: 0, publicUrl: 'https://pbx.vault.example' },
    shutdownGraceMs,
  }
  const parts = { ...vault, config, logger: log.logger, metrics: createMetrics(), ...change }
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
      const { token } = await issueProgramToken({ catalog, issueToken }, row, made, {})
      return token
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}
