// The sealed objects of a recording, one a role.
import { ObjectRole, Wrap } from '@auricle/contract'
import type { KeptObject, NewObject, StoredObject } from './catalog.ts'
import type { Session } from './database.ts'
import { bytes, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'

/** Adds a recording's objects to a transaction. */
export async function insertObjects(
  session: Session,
  tenantId: string,
  recordingId: string,
  objects: readonly NewObject[],
): Promise<void> {
  await session.write({
    text: `insert into auricle.recording_object
             (tenant_id, recording_id, role, object_key, generation, sealed_bytes, plaintext_bytes, content_type,
              fingerprint, wrap, store_until)
           select $1, $2, * from unnest(
             $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[], $10::jsonb[],
             $11::timestamptz[])`,
    values: [
      tenantId,
      recordingId,
      objects.map(object => object.role),
      objects.map(object => object.objectKey),
      objects.map(object => object.generation),
      objects.map(object => object.sealedBytes),
      objects.map(object => object.plaintextBytes),
      objects.map(object => object.contentType),
      objects.map(object => object.fingerprint),
      objects.map(object => (object.wrap === null ? null : JSON.stringify(object.wrap))),
      objects.map(object => object.storeUntil),
    ],
  })
}

export function readObject(row: Row): StoredObject {
  return {
    role: parsed(row, 'role', ObjectRole),
    objectKey: text(row, 'object_key'),
    generation: text(row, 'generation'),
    sealedBytes: integer(row, 'sealed_bytes'),
    plaintextBytes: integer(row, 'plaintext_bytes'),
    contentType: text(row, 'content_type'),
    fingerprint: bytes(row, 'fingerprint'),
    wrap: parsedOrNull(row, 'wrap', Wrap),
  }
}

export function readKeptObject(row: Row): KeptObject {
  const generation = orNull(row, 'recovery_generation', text)
  return {
    ...readObject(row),
    copy: generation === null ? null : { generation, replicatedAt: time(row, 'replicated_at') },
  }
}
