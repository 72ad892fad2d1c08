// The ingest service of a test vault, in this process and on a port of its own, with connectors that can be delivered to.
import { type IngestParts, startIngest } from '@auricle/ingest-service'
import { connectors as kinds } from '@auricle/pbx'
import { createMetrics, type Listening } from '@auricle/runtime'
import { createConnector } from '@auricle/vault'
import { type CapturedLog, captureLog } from './captured-log.ts'
import type { DeliveryPoint } from './harness/clinic.ts'
import type { Clinic, TestVault } from './vault.ts'

const shutdownGraceMs = 5_000

export interface Door extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly log: CapturedLog
  /** Tells the service that it is to stop, as a signal to its process would. */
  readonly stop: AbortController
}

/** `change` puts something else in the place of a part of the vault. */
export async function openDoor(
  vault: TestVault,
  change: Partial<
    Pick<IngestParts, 'catalog' | 'log' | 'objects' | 'keys' | 'limits' | 'config' | 'now'>
  > = {},
): Promise<Door> {
  const log = captureLog()
  const stop = new AbortController()
  const config = { ingest: { host: '127.0.0.1', port: 0, publicUrl: null }, shutdownGraceMs }
  const parts = {
    ...vault,
    keys: vault.keyService,
    config,
    logger: log.logger,
    metrics: createMetrics(),
    ...change,
  }
  const listening: Listening = await startIngest(parts, { signal: stop.signal })
  return {
    url: listening.url,
    port: listening.port,
    log,
    stop,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

export interface PbxLimits {
  readonly maxBytes?: number
  readonly idleTimeoutMs?: number
}

/** A connector with the secret that its PBX would be given. */
export async function addPbx(
  vault: TestVault,
  { tenant, mailbox }: Pick<Clinic, 'tenant' | 'mailbox'>,
  kind: DeliveryPoint['kind'],
  { maxBytes = 2 ** 30, idleTimeoutMs = 10_000 }: PbxLimits = {},
): Promise<DeliveryPoint> {
  const { secrets, shown } = kinds[kind].newSecrets()
  const { id } = await createConnector(
    vault,
    {
      tenantId: tenant.id,
      kind,
      name: `PBX by ${kind}`,
      defaultMailboxId: mailbox.id,
      maxBytes,
      idleTimeoutMs,
      allowedHosts: [],
      pbxSecrets: secrets,
    },
    {},
  )
  return { id, kind, secret: shown }
}
