// Whether what the configuration names is as the laws of the vault need it; what is not stops the start.
import type { Finding } from '@auricle/contract'
import { RuntimeError } from '../error.ts'
import type { Logger } from '../logger.ts'

export interface Inspected {
  readonly name: string
  readonly inspect: (options: { readonly signal?: AbortSignal | undefined }) => Promise<readonly Finding[]>
}

/**
 * What each part says of itself; of one that cannot be asked, that. An outage of a moment is no reason to stay down:
 * whatever needs the part fails by itself, until it is back.
 */
export async function inspectAll(
  parts: readonly Inspected[],
  options: { readonly signal?: AbortSignal | undefined },
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    parts.map(async ({ name, inspect }) => {
      try {
        return await inspect(options)
      } catch (error) {
        options.signal?.throwIfAborted()
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
        return [{ name, state: 'away', found: `cannot be looked at now (${code})`, mend: null } as const]
      }
    }),
  )
  return found.flat()
}

/** Throws `unfit` with a line for each finding that is bad; logs those that somebody should look at, or that could not be asked. */
export async function refuseUnfit(
  parts: readonly Inspected[],
  { logger, signal }: { readonly logger: Logger; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const findings = await inspectAll(parts, { signal })
  for (const { name, state, found } of findings) {
    // A start is no time to be told again of what one has decided to live with: that is for `doctor`.
    if (state === 'warn') logger.info('Something to look at', { part: name, found })
    if (state === 'away') logger.warn('A part cannot be asked now', { part: name, found })
  }
  const bad = findings.filter(({ state }) => state === 'bad')
  if (bad.length === 0) return
  const lines = bad.map(({ name, found, mend }) => `${name}: ${found}${mend === null ? '' : `\n    ${mend}`}`)
  throw new RuntimeError('unfit', `The vault does not start on this:\n  ${lines.join('\n  ')}`)
}
