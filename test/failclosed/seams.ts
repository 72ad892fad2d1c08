// Faults at every seam between the decision and the first byte: what is awaited there can be refused, done with its answer
// lost, broken by the server in the middle, or never answered. Each tenant has its own, for its next request.
import { type Catalog, CatalogError } from '@auricle/catalog'
import { TenantId } from '@auricle/contract'
import { KeyError, type KeyService, type OnKeyUse } from '@auricle/keys'
import { ObjectError, type ObjectStore } from '@auricle/objects'

/** In the order of a request: each is an `await` of the way to the first byte, some of them several times. */
export const seams = ['facts', 'tenant', 'append', 'late', 'note', 'unwrap', 'read'] as const
export type Seam = (typeof seams)[number]

/**
 * `refuse`: not done, and fails. `lost`: done, and its answer lost. `cut`: the server ends all connections of ours while
 * it is under way. `hang`: nothing comes back before the caller gives up, or `hangMs`.
 */
export const kinds = ['refuse', 'lost', 'cut', 'hang'] as const
export type Kind = (typeof kinds)[number]

export interface Fault {
  readonly seam: Seam
  /** Which of the calls of one request, from 1. */
  readonly nth: number
  readonly kind: Kind
}

export interface Seams {
  readonly catalog: Pick<Catalog, 'findPlayFacts' | 'findTenant' | 'appendStamped' | 'commitLate'>
  readonly keys: KeyService
  readonly noteKeyUse: OnKeyUse
  readonly objects: Pick<ObjectStore, 'read'>
  readonly late: Pick<ObjectStore, 'put' | 'read'>
  /** For what the tenant does from now on. */
  arm(tenantId: TenantId, faults: readonly Fault[]): void
  /** Whether it has met all that it was armed with. */
  hasMetAll(tenantId: TenantId): boolean
  /** How often each fault was met, as `seam nth kind`. */
  readonly met: ReadonlyMap<string, number>
}

export interface SeamParts {
  readonly catalog: Catalog
  readonly keyService: KeyService
  readonly noteKeyUse: OnKeyUse
  readonly objects: Pick<ObjectStore, 'read'>
  readonly logStore: Pick<ObjectStore, 'put' | 'read'>
  /** Ends the connections that the service has to the database. */
  readonly cut: () => Promise<void>
  readonly hangMs: number
}

interface Armed {
  readonly fault: Fault
  calls: number
  isMet: boolean
}

type Signalled = { readonly signal?: AbortSignal | undefined } | undefined

export function placeSeams(parts: SeamParts): Seams {
  const { catalog, keyService, objects, logStore } = parts
  const armed = new Map<TenantId, readonly Armed[]>()
  const met = new Map<string, number>()

  /** The fault that this call of these tenants is to meet. */
  function due(seam: Seam, tenantIds: Iterable<TenantId>): Kind | null {
    for (const tenantId of new Set(tenantIds)) {
      const found = armed.get(tenantId)?.find(({ fault }) => fault.seam === seam)
      if (found === undefined) continue
      found.calls++
      const { nth, kind } = found.fault
      if (found.calls !== nth) continue
      found.isMet = true
      const name = `${seam} ${nth} ${kind}`
      met.set(name, (met.get(name) ?? 0) + 1)
      return kind
    }
    return null
  }

  async function pass<Result>(
    seam: Seam,
    tenantIds: Iterable<TenantId>,
    call: () => Promise<Result>,
    options: Signalled,
  ): Promise<Result> {
    const kind = due(seam, tenantIds)
    switch (kind) {
      case null:
        return call()
      case 'refuse':
        throw failureAt(seam)
      case 'lost':
        await call()
        throw failureAt(seam)
      case 'cut': {
        const [done] = await Promise.all([call(), parts.cut()])
        return done
      }
      case 'hang':
        await hang(options?.signal, parts.hangMs)
        throw failureAt(seam)
      default:
        return kind satisfies never
    }
  }

  async function* readThrough(...[key, range, options]: Parameters<ObjectStore['read']>) {
    const pieces = objects.read(key, range, options)[Symbol.asyncIterator]()
    try {
      let next = await pass('read', tenantsIn(key), () => pieces.next(), options)
      for (; next.done !== true; next = await pieces.next()) yield next.value
    } finally {
      await pieces.return?.()
    }
  }

  return {
    catalog: {
      findPlayFacts: (query, options) =>
        pass('facts', [query.tenantId], () => catalog.findPlayFacts(query, options), options),
      findTenant: (tenantId, options) =>
        pass('tenant', [tenantId], () => catalog.findTenant(tenantId, options), options),
      appendStamped: (records, options) =>
        pass(
          'append',
          records.map(({ tenantId }) => tenantId),
          () => catalog.appendStamped(records, options),
          options,
        ),
      commitLate: catalog.commitLate,
    },
    keys: {
      ...keyService,
      key(name) {
        const handle = keyService.key(name)
        if (name.purpose !== 'recordings') return handle
        return {
          wrap: handle.wrap,
          unwrap: (wrap, aad, options) =>
            pass('unwrap', [name.tenantId], () => handle.unwrap(wrap, aad, options), options),
        }
      },
    },
    noteKeyUse: use => pass('note', [use.tenantId], () => parts.noteKeyUse(use), undefined),
    objects: { read: readThrough },
    late: {
      put: (key, source, options) =>
        pass('late', tenantsIn(key), () => logStore.put(key, source, options), options),
      read: logStore.read,
    },
    arm(tenantId, faults) {
      armed.set(
        tenantId,
        faults.map(fault => ({ fault, calls: 0, isMet: false })),
      )
    },
    hasMetAll: tenantId => armed.get(tenantId)?.every(({ isMet }) => isMet) ?? true,
    met,
  }
}

/** As the adapter behind that seam fails where it cannot be reached. */
function failureAt(seam: Seam): Error {
  switch (seam) {
    case 'facts':
    case 'tenant':
    case 'append':
      return new CatalogError('unavailable', 'The database cannot answer now')
    case 'note':
      return Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    case 'unwrap':
      return new KeyError('unavailable', 'The key service cannot answer now')
    case 'late':
    case 'read':
      return new ObjectError('unavailable', 'The store cannot be reached')
    default:
      return seam satisfies never
  }
}

async function hang(signal: AbortSignal | undefined, mostMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, mostMs)
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Keys of objects name their tenant. */
const tenantsIn = (key: string): readonly TenantId[] =>
  key.split('/').flatMap(part => TenantId.safeParse(part).data ?? [])
