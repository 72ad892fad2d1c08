// A look at the stores of every tenant, once a day, by one worker.
import type { Catalog } from '@auricle/catalog'
import type { TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type DriftParts, type DriftReport, findDrift } from './drift.ts'

export interface DriftSweepParts extends DriftParts {
  readonly catalog: DriftParts['catalog'] & Pick<Catalog, 'listTenants'>
  /** Told of each run that was made. */
  readonly onRun: (tenantId: TenantId, report: DriftReport) => void
}

const everyMs = 24 * 3_600_000
/** A run that began longer ago and has no end was cut off. */
const longestMs = 6 * 3_600_000

/** Throws the first failure, when all tenants were tried. */
export async function sweepDrift(parts: DriftSweepParts, options: CallOptions): Promise<void> {
  let failure: { readonly cause: unknown } | null = null
  for (const { id: tenantId } of await parts.catalog.listTenants(options)) {
    const nowMs = (parts.now?.() ?? new Date()).getTime()
    const unless = { endedSince: new Date(nowMs - everyMs), begunSince: new Date(nowMs - longestMs) }
    try {
      const report = await findDrift(parts, tenantId, { by: 'worker', mend: true, unless }, options)
      if (report !== null) parts.onRun(tenantId, report)
    } catch (cause) {
      options.signal?.throwIfAborted()
      failure ??= { cause }
    }
  }
  if (failure !== null) throw failure.cause
}
