// Calls about one object that is there: get, read, patch, delete, copy, restore.
import { type Answer, absentObject, type Call, json, need, resourceName, theBucket } from './call.ts'
import { checkConditions, checkReadConditions, int64, parseConditions } from './conditions.ts'
import { parseReadRange } from './content-range.ts'
import { asInt64, asText, type JsonRecord, readJson } from './json.ts'
import { etagOf, type StoredObject, writeObject } from './object.ts'
import { noProperties, patchProperties } from './properties.ts'
import { checkNewRetention, retentionChange } from './protection.ts'
import { invalid, noSuchObject, Refusal } from './refusal.ts'
import { addObject, findObject, findSoftDeleted, liveObject, removeObject, retire } from './shelf.ts'

function theObject(call: Call, permission: string): StoredObject {
  need(call, permission)
  const generation = int64(call.query, 'generation')
  const object =
    call.query.get('softDeleted') === 'true'
      ? findSoftDeleted(theBucket(call), call.objectName, generation ?? '')
      : findObject(theBucket(call), call.objectName, generation)
  if (object === null) throw absentObject(call, permission)
  return object
}

export function getObject(call: Call): Answer {
  const object = theObject(call, 'storage.objects.get')
  checkReadConditions(parseConditions(call.query), object)
  return json(writeObject(theBucket(call), object, call.origin), { etag: etagOf(object) })
}

export function readObject(call: Call): Answer {
  const object = theObject(call, 'storage.objects.get')
  if (object.softDeleted !== null) throw noSuchObject(call.bucketName, call.objectName)
  checkReadConditions(parseConditions(call.query), object)
  const { bytes, properties } = object
  const { size } = bytes
  const range = parseReadRange(call.headers.range, size)
  if (range.type === 'unsatisfiable') {
    throw new Refusal(416, 'requestedRangeNotSatisfiable', 'The requested range cannot be satisfied.', {
      'content-range': `bytes */${size}`,
    })
  }
  const { start, end } = range.type === 'part' ? range : { start: 0, end: size }
  const md5 = bytes.md5 === null ? '' : `,md5=${bytes.md5}`
  const { contentEncoding } = properties.texts
  return {
    status: range.type === 'part' ? 206 : 200,
    headers: {
      'accept-ranges': 'bytes',
      'cache-control': properties.texts.cacheControl ?? 'private, max-age=0',
      'content-type': properties.texts.contentType ?? 'application/octet-stream',
      ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
      ...(range.type === 'part' ? { 'content-range': `bytes ${start}-${end - 1}/${size}` } : {}),
      etag: etagOf(object),
      'last-modified': new Date(object.updatedAt).toUTCString(),
      // Of the whole object, also where a part is sent.
      'x-goog-hash': `crc32c=${bytes.crc32c}${md5}`,
      'x-goog-generation': object.generation,
      'x-goog-metageneration': String(object.metageneration),
      'x-goog-storage-class': object.storageClass,
      'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
      'x-goog-stored-content-length': String(size),
    },
    body: { type: 'bytes', pieces: bytes.slice(start, end), size: end - start },
  }
}

export async function patchObject(call: Call): Promise<Answer> {
  const changes = await readJson(call.body)
  const object = theObject(call, 'storage.objects.update')
  const bucket = theBucket(call)
  const now = call.service.now()
  checkConditions(parseConditions(call.query), object)
  const current = object.properties
  const next = patchProperties(current, changes)
  const change = retentionChange(bucket, { current: current.retention, next: next.retention, now })
  if (change !== 'none') need(call, 'storage.objects.setRetention')
  if (change === 'override') {
    if (call.query.get('overrideUnlockedRetention') !== 'true') {
      throw new Refusal(
        403,
        'forbidden',
        'To remove, shorten or lock a retention configuration, overrideUnlockedRetention has to be true.',
      )
    }
    need(call, 'storage.objects.overrideUnlockedRetention')
  }
  call.service.throttle(bucket, object.name)
  object.properties = next
  object.metageneration++
  object.updatedAt = now
  if (current.eventBasedHold && !next.eventBasedHold) object.releasedAt = now
  return json(writeObject(bucket, object, call.origin))
}

export function deleteObject(call: Call): Answer {
  const object = theObject(call, 'storage.objects.delete')
  const bucket = theBucket(call)
  checkConditions(parseConditions(call.query), object)
  call.service.throttle(bucket, object.name)
  if (call.query.get('generation') === null) retire(bucket, object, call.service.now())
  else removeObject(bucket, object, call.service.now())
  return { status: 204 }
}

/** `rewriteTo`: in one step, or in as many as `maxBytesRewrittenPerCall` makes of it. */
export async function rewriteObject(
  call: Call,
  to: { readonly bucketName: string; readonly objectName: string },
): Promise<Answer> {
  const given = await readJson(call.body)
  const source = theSource(call)
  const resource = resourceName(to.bucketName, to.objectName)
  need(call, 'storage.objects.create', resource)
  const target = theBucket(call, to.bucketName)
  const replaced = liveObject(target, to.objectName)
  checkConditions(parseConditions(call.query), replaced)
  if (replaced !== null) need(call, 'storage.objects.delete', resource)

  const objectSize = source.bytes.size
  const token = call.query.get('rewriteToken')
  const before = token === null ? 0 : rewrittenBytes(token, source)
  const most = call.query.get('maxBytesRewrittenPerCall')
  const rewritten = Math.min(
    objectSize,
    before + (most === null ? objectSize : asInt64(most, 'maxBytesRewrittenPerCall')),
  )
  const progress = {
    kind: 'storage#rewriteResponse',
    totalBytesRewritten: String(rewritten),
    objectSize: String(objectSize),
  }
  if (rewritten < objectSize) {
    const rewriteToken = Buffer.from(`${source.generation}/${rewritten}`).toString('base64url')
    return json({ ...progress, done: false, rewriteToken })
  }
  const now = call.service.now()
  const properties = copiedProperties(source, given)
  if (properties.retention !== null) {
    need(call, 'storage.objects.setRetention', resource)
    checkNewRetention(target, properties.retention, now)
  }
  call.service.throttle(target, to.objectName)
  const storageClass = given['storageClass']
  const object = addObject(
    target,
    {
      name: to.objectName,
      bytes: source.bytes,
      properties,
      ...(storageClass === undefined ? {} : { storageClass: asText(storageClass, 'storageClass') }),
    },
    { now, generation: call.service.nextGeneration() },
  )
  return json({ ...progress, done: true, resource: writeObject(target, object, call.origin) })
}

function theSource(call: Call): StoredObject {
  need(call, 'storage.objects.get')
  const object = findObject(theBucket(call), call.objectName, int64(call.query, 'sourceGeneration'))
  if (object === null) throw absentObject(call, 'storage.objects.get')
  checkConditions(parseConditions(call.query, 'Source'), object)
  return object
}

function rewrittenBytes(token: string, source: StoredObject): number {
  const [generation, rewritten] = Buffer.from(token, 'base64url').toString().split('/')
  if (generation !== source.generation) throw invalid('Invalid rewrite token.')
  return asInt64(rewritten, 'rewriteToken')
}

/** Metadata in the request replaces the source's; holds and retention are not copied. */
function copiedProperties(source: StoredObject, given: JsonRecord) {
  const { texts, metadata, customTime } = source.properties
  const copied = { ...noProperties, texts, metadata, customTime }
  return given['metadata'] === undefined
    ? patchProperties(copied, given)
    : patchProperties({ ...copied, metadata: {} }, given)
}

export function restoreObject(call: Call): Answer {
  need(call, 'storage.objects.restore')
  need(call, 'storage.objects.create')
  const bucket = theBucket(call)
  const object = findSoftDeleted(bucket, call.objectName, int64(call.query, 'generation') ?? '')
  if (object === null) throw absentObject(call, 'storage.objects.restore')
  const live = liveObject(bucket, call.objectName)
  checkConditions(parseConditions(call.query), live)
  if (live !== null) need(call, 'storage.objects.delete')
  const { name, bytes, properties, storageClass } = object
  const restored = addObject(
    bucket,
    { name, bytes, properties, storageClass },
    { now: call.service.now(), generation: call.service.nextGeneration() },
  )
  return json(writeObject(bucket, restored, call.origin))
}
