// What a stretch of the product's life cost at Google's services: calls by operation, and wraps and unwraps by what for.
import type { Google } from '../../harness/google.ts'

interface Binding {
  readonly method: string
  readonly key: string
  readonly additionalData: string
  readonly calls: number
}

interface Moment {
  readonly requests: Readonly<Record<string, number>>
  readonly bindings: readonly Binding[]
}

export interface Account {
  /** Of Cloud Storage, by operation; what a process asks of its buckets when it starts, and lists, is left out. */
  readonly storage: Readonly<Record<string, number>>
  readonly wraps: KeyCalls
  readonly unwraps: KeyCalls
}

export interface KeyCalls {
  /** One entry a recording that there were calls for. */
  readonly recordings: ReadonlyMap<string, number>
  /** For the secrets of a tenant's columns and of its connectors, and for signing keys. */
  readonly others: number
}

export async function lookAt({ storage, keys }: Google): Promise<Moment> {
  const [{ requests }, bindings] = await Promise.all([
    storage.counts(),
    keys.command<readonly Binding[]>('bindings'),
  ])
  return { requests, bindings }
}

/** What there was since a moment. */
export async function accountSince(google: Google, before: Moment): Promise<Account> {
  const { requests, bindings } = await lookAt(google)
  const storage = Object.entries(requests)
    .map(([operation, count]) => [operation, count - (before.requests[operation] ?? 0)] as const)
    .filter(([operation, count]) => count > 0 && !isOfProcess(operation))
  const earlier = new Map(before.bindings.map(binding => [idOf(binding), binding.calls]))
  const since = bindings
    .map(binding => ({ ...binding, calls: binding.calls - (earlier.get(idOf(binding)) ?? 0) }))
    .filter(({ calls }) => calls > 0)
  return {
    storage: Object.fromEntries(storage),
    wraps: keyCalls(since.filter(({ method }) => method === 'Encrypt')),
    unwraps: keyCalls(since.filter(({ method }) => method === 'Decrypt')),
  }
}

/** Once a process, and every ten minutes in a worker: not once a recording. */
const isOfProcess = (operation: string) => operation.startsWith('buckets.') || operation === 'objects.list'

const idOf = ({ method, key, additionalData }: Binding) => `${method} ${key} ${additionalData}`

function keyCalls(bindings: readonly Binding[]): KeyCalls {
  const ofRecordings = bindings.filter(isOfRecording)
  const others = bindings.filter(binding => !isOfRecording(binding))
  return {
    recordings: new Map(ofRecordings.map(({ additionalData, calls }) => [additionalData, calls])),
    others: others.reduce((sum, { calls }) => sum + calls, 0),
  }
}

/** A recording's wrap names it in its additional data, by a hash; a tenant's names itself in plain words. */
function isOfRecording({ key, additionalData }: Binding): boolean {
  const words = Buffer.from(additionalData, 'base64').toString('latin1')
  return key.endsWith('-recordings') && !words.includes('column secret')
}

export const callsOf = (account: Account) =>
  Object.values(account.storage).reduce((sum, count) => sum + count, 0)
