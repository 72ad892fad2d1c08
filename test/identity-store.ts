// What an identity provider remembers between its requests, in memory and apart from it: so it outlives its keys.
import type { Adapter, AdapterPayload } from 'oidc-provider'

export interface IdentityStore {
  /** For the provider's own records; it checks itself whether what it finds has expired. */
  adapterOf(model: string): Adapter
  /** Sessions in which somebody is signed in as the subject. */
  sessionsOf(subject: string): readonly AdapterPayload[]
  /** The grant and every token that was given out by it. */
  revoke(grantId: string): void
}

export function createIdentityStore(): IdentityStore {
  const models = new Map<string, Map<string, AdapterPayload>>()
  const rowsOf = (model: string) => {
    const rows = models.get(model) ?? new Map<string, AdapterPayload>()
    models.set(model, rows)
    return rows
  }
  const revoke = (grantId: string) => {
    for (const [model, rows] of models) {
      if (model === 'Session') continue
      for (const [id, row] of rows)
        if (row.grantId === grantId || (model === 'Grant' && id === grantId)) rows.delete(id)
    }
  }
  return {
    adapterOf(model) {
      const rows = rowsOf(model)
      const findBy = (is: (row: AdapterPayload) => boolean) => Promise.resolve([...rows.values()].find(is))
      return {
        async upsert(id, payload) {
          rows.set(id, payload)
        },
        find: id => Promise.resolve(rows.get(id)),
        findByUid: uid => findBy(row => row.uid === uid),
        findByUserCode: userCode => findBy(row => row.userCode === userCode),
        async consume(id) {
          const row = rows.get(id)
          if (row !== undefined) rows.set(id, { ...row, consumed: Math.floor(Date.now() / 1000) })
        },
        async destroy(id) {
          rows.delete(id)
        },
        async revokeByGrantId(grantId) {
          revoke(grantId)
        },
      }
    },
    sessionsOf: subject => [...rowsOf('Session').values()].filter(row => row.accountId === subject),
    revoke,
  }
}
