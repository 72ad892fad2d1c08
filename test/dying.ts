// What a process does step by step, so that it can die at any of them: every call of its catalog and its stores is one,
// and what follows a delete is another.
import type { DestroyReadyParts, DisposalStore } from '@auricle/vault'

/** The same parts, which call `step` before whatever they do, and after each delete. */
export function stepping(parts: DestroyReadyParts, step: () => void): DestroyReadyParts {
  const { primary, recovery } = parts.stores
  const stores = {
    primary: steppingStore(primary, step),
    recovery: recovery === null ? null : steppingStore(recovery, step),
  }
  return { ...parts, catalog: steppingCatalog(parts.catalog, step), stores }
}

function steppingCatalog<Catalog extends object>(catalog: Catalog, step: () => void): Catalog {
  return new Proxy(catalog, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        step()
        return Reflect.apply(value, target, args)
      }
    },
  })
}

function steppingStore(store: DisposalStore, step: () => void): DisposalStore {
  return {
    list(...args) {
      step()
      return store.list(...args)
    },
    listGone(...args) {
      step()
      return store.listGone(...args)
    },
    restorable(options) {
      step()
      return store.restorable(options)
    },
    async delete(key, options) {
      step()
      const outcome = await store.delete(key, options)
      step()
      return outcome
    },
  }
}
