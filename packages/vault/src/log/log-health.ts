// Whether a process may go on taking requests, as far as the audit log goes.
import type { Catalog } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { EventLog } from './event-log.ts'

/** For so long nothing could be recorded. */
const failingMost = 5_000
/** As long as an event may wait for its place in a tree: what `docs/audit-log.md` promises. */
const unsealedMost = 60_000

export interface LogHealthParts {
  readonly log: Pick<EventLog, 'failingMs'>
  readonly catalog: Pick<Catalog, 'listUnsealed'>
  /** Default: the system's clock. */
  readonly now?: () => Date
}

/** Throws `log_unavailable` where events cannot be recorded, `log_unsealed` where they are not sealed in time. */
export async function refuseUnhealthyLog(
  { log, catalog, now = () => new Date() }: LogHealthParts,
  options: CallOptions,
): Promise<void> {
  if (log.failingMs() >= failingMost)
    throw new VaultError('log_unavailable', 'The audit log cannot be written to')
  const unsealed = await catalog.listUnsealed(options)
  const isLate = unsealed.some(({ oldest }) => now().getTime() - oldest.getTime() > unsealedMost)
  if (isLate) throw new VaultError('log_unsealed', 'Events have waited too long to be sealed')
}
