// The deployment's keys for signing tokens; of several processes that bring a first one, one wins.
import { z } from 'zod'
import type { Catalog, SigningKeyRow } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { bytes, orNull, parsed, type Row, text, time } from './row.ts'

type SigningKeys = Pick<Catalog, 'listSigningKeys' | 'addFirstSigningKey'>

const Jwk = z.record(z.string(), z.unknown())

export function createSigningKeys(database: Database): SigningKeys {
  return {
    async listSigningKeys(options) {
      return (await database.once(list, options)).map(readSigningKey)
    },

    addFirstSigningKey: (key, options) => {
      return database.transaction(async session => {
        await insertUnlessPresent(session, key)
        // A statement of its own: the insert has waited for a competitor to commit, and this one sees that key.
        return (await session.rows(list)).map(readSigningKey)
      }, options)
    },
  }
}

const list = { text: 'select * from auricle.signing_key order by created_at, kid', values: [] }

async function insertUnlessPresent(session: Session, key: SigningKeyRow): Promise<void> {
  await session.write({
    text: `insert into auricle.signing_key (kid, public_jwk, sealed_private_jwk, created_at, retired_at)
           values ($1, $2, $3, $4, $5) on conflict do nothing`,
    values: [key.kid, JSON.stringify(key.publicJwk), key.sealedPrivateJwk, key.createdAt, key.retiredAt],
  })
}

function readSigningKey(row: Row): SigningKeyRow {
  return {
    kid: text(row, 'kid'),
    publicJwk: parsed(row, 'public_jwk', Jwk),
    sealedPrivateJwk: bytes(row, 'sealed_private_jwk'),
    createdAt: time(row, 'created_at'),
    retiredAt: orNull(row, 'retired_at', time),
  }
}
