// How often one sender may fail to authenticate before it has to wait. Whoever delivers as agreed is never counted.
import type { ConnectorId } from '@auricle/contract'
import { addressGroup, enforce, type Limits, LimitsError, type Rate } from '@auricle/limits'

/** A PBX with a wrong secret keeps trying; one guess a second from one place is no use to anybody. */
const ofSender: Rate = { burst: 60, everyMs: 1_000 }
/** From all places together. */
const ofConnector: Rate = { burst: 600, everyMs: 50 }
/** Connectors that are not there: ids are guessed, or a PBX outlives its connector. */
const ofUnknown: Rate = { burst: 600, everyMs: 50 }

const sendersMost = 10_000

export interface Sender {
  /** Null where there is no such connector. */
  readonly connectorId: ConnectorId | null
  readonly address: string | null
}

export interface FailureLimits {
  /**
   * Throws `LimitsError('exceeded')` for a sender that failed too often and has not waited yet. Asks no store, so that a
   * delivery costs nothing more; and judges address and connector together, so that nobody shuts out another's PBX.
   */
  refuseWaiting(sender: Sender): void
  /** Counts a failure. Throws `LimitsError('exceeded')` where it is one too many: the answer to give in place of its own. */
  count(sender: Sender, options: { readonly signal: AbortSignal }): Promise<void>
}

export function createFailureLimits(
  limits: Pick<Limits, 'take'>,
  now: () => number = Date.now,
): FailureLimits {
  const waiting = new Map<string, number>()
  const wait = (key: string, retryAfterMs: number) => {
    waiting.delete(key)
    waiting.set(key, now() + retryAfterMs)
    const [oldest] = waiting.keys()
    if (waiting.size > sendersMost && oldest !== undefined) waiting.delete(oldest)
  }
  return {
    refuseWaiting(sender) {
      const key = keyOf(sender)
      const until = waiting.get(key)
      if (until === undefined) return
      const retryAfterMs = until - now()
      if (retryAfterMs > 0)
        throw new LimitsError('exceeded', 'Too many failures: wait a little', { retryAfterMs })
      waiting.delete(key)
    },
    async count(sender, options) {
      const key = keyOf(sender)
      const taken = await limits.take(key, sender.connectorId === null ? ofUnknown : ofSender, options)
      if (!taken.allowed) {
        wait(key, taken.retryAfterMs)
        const { retryAfterMs } = taken
        throw new LimitsError('exceeded', 'Too many failures: wait a little', { retryAfterMs })
      }
      if (sender.connectorId === null) return
      await enforce(limits, `ingest:failures:${sender.connectorId}`, ofConnector, options)
    },
  }
}

function keyOf({ connectorId, address }: Sender): string {
  return `ingest:failures:${connectorId ?? 'unknown'}:${addressGroup(address)}`
}
