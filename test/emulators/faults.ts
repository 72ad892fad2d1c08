// Which requests to an emulated service go wrong, and how: a script of rules, the same for every protocol.
import { createRandom } from '../harness/random.ts'

/**
 * What can go wrong, in words of no protocol:
 * - `status`: the service refuses. `status` is HTTP's, `code` gRPC's; a rule for both protocols has both.
 * - `cut`: the connection is destroyed once `afterBytes` of the body have passed, of the answer unless `side` says
 *   otherwise. A request that is cut had no effect; an answer that is cut had it.
 * - `corrupt`: a byte of the payload differs, on its way out or on its way in; or the checksum that is returned does.
 * - `slow`: the request waits before anything is done.
 * - `lost-acknowledgement`: the effect happens, and the connection is destroyed instead of an answer.
 * - `expired-token`: the token of this request counts as expired from now on.
 */
export type Fault =
  | {
      readonly type: 'status'
      readonly status?: number
      readonly code?: number
      readonly retryAfterSeconds?: number
    }
  | { readonly type: 'cut'; readonly afterBytes: number; readonly side?: 'request' | 'response' }
  | { readonly type: 'corrupt'; readonly what: 'bytes' | 'checksum' }
  | { readonly type: 'slow'; readonly ms: number }
  | { readonly type: 'lost-acknowledgement' }
  | { readonly type: 'expired-token' }

export type FaultType = Fault['type']

/** What a rule may look at. */
export interface FaultRequest {
  /** The service's name of what is asked, such as `objects.get.media` or `Decrypt`. */
  readonly operation: string
  /** What it is asked about: `bucket/object`, or the name of a key. */
  readonly resource: string
}

export interface FaultRule {
  /** A name, a pattern of names, or `any` for all. */
  readonly operation: string | RegExp
  readonly fault: Fault
  /** How often at most. Default: no limit. */
  readonly times?: number | undefined
  /** The share of the matching requests that it strikes, 0 to 1. Default: 1. */
  readonly probability?: number | undefined
  /** How many matching requests are let through first. Default: 0. */
  readonly skip?: number | undefined
  readonly when?: ((request: FaultRequest) => boolean) | undefined
}

type Counts = Readonly<Partial<Record<FaultType, number>>>

export interface FaultScript {
  add(rule: FaultRule): void
  /** Forgets the rules; the counts stay. */
  clear(): void
  /**
   * For the emulator, once a request: what goes wrong with it. The first rule that strikes decides. A fault that is not
   * `possible` for this request (corrupt bytes where there are none) neither strikes nor counts.
   */
  take(request: FaultRequest, possible?: (fault: Fault) => boolean): Fault | null
  /** How often each fault struck. */
  readonly injected: Counts
  readonly injectedByOperation: Readonly<Record<string, Counts>>
}

/** `seed` decides what strikes where rules have a probability. */
export function createFaultScript({ seed = 1 }: { readonly seed?: number } = {}): FaultScript {
  const random = createRandom(seed)
  let rules: { readonly rule: FaultRule; toSkip: number; timesLeft: number }[] = []
  const injected: Partial<Record<FaultType, number>> = {}
  const byOperation = new Map<string, Partial<Record<FaultType, number>>>()

  const strikes = (entry: (typeof rules)[number], request: FaultRequest): boolean => {
    const { operation, when, probability = 1 } = entry.rule
    if (entry.timesLeft === 0 || !names(operation, request.operation)) return false
    if (when !== undefined && !when(request)) return false
    if (entry.toSkip > 0) {
      entry.toSkip--
      return false
    }
    if (probability < 1 && random.fraction() >= probability) return false
    entry.timesLeft--
    return true
  }

  return {
    add(rule) {
      rules.push({ rule, toSkip: rule.skip ?? 0, timesLeft: rule.times ?? Number.POSITIVE_INFINITY })
    },
    clear() {
      rules = []
    },
    take(request, possible = () => true) {
      const struck = rules.find(entry => possible(entry.rule.fault) && strikes(entry, request))
      if (struck === undefined) return null
      const { fault } = struck.rule
      const counts = byOperation.get(request.operation) ?? {}
      byOperation.set(request.operation, counts)
      counts[fault.type] = (counts[fault.type] ?? 0) + 1
      injected[fault.type] = (injected[fault.type] ?? 0) + 1
      return fault
    },
    get injected() {
      return { ...injected }
    },
    get injectedByOperation() {
      return Object.fromEntries([...byOperation].map(([operation, counts]) => [operation, { ...counts }]))
    },
  }
}

function names(pattern: string | RegExp, operation: string): boolean {
  if (typeof pattern !== 'string') return operation.search(pattern) !== -1
  return pattern === 'any' || pattern === operation
}
