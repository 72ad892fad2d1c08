// Uploads in one request, and what ends every upload: the checks after which an object exists.
import { type Answer, type Call, json, need, resourceName, type Service, theBucket } from './call.ts'
import { type Conditions, checkConditions, parseConditions } from './conditions.ts'
import { asRecord, asText, type JsonRecord } from './json.ts'
import { writeObject } from './object.ts'
import { noProperties, type Properties, patchProperties } from './properties.ts'
import { checkNewRetention } from './protection.ts'
import { invalid } from './refusal.ts'
import { boundaryOf, readRelated } from './related.ts'
import { addObject, liveObject } from './shelf.ts'
import { type BytesBeingStored, storeBytes } from './stored-bytes.ts'

const mostNameBytes = 1_024

/** What the bytes of an upload have to add up to, where the caller said so. */
export interface Expected {
  readonly crc32c: string | null
  readonly md5: string | null
}

/** What is known and checked of an upload before its first byte. */
export interface Upload {
  readonly bucketName: string
  readonly objectName: string
  readonly properties: Properties
  readonly storageClass: string | null
  readonly conditions: Conditions
  readonly expected: Expected
  /** Throws where the caller may not, if there is an object to be replaced. */
  readonly mustBeAllowedToReplace: () => void
}

/** Throws where it is already clear that no object will come of it. */
export function prepareUpload(call: Call, metadata: JsonRecord, contentType: string | null): Upload {
  const objectName = call.query.get('name') ?? asText(metadata['name'], 'name')
  const resource = resourceName(call.bucketName, objectName)
  need(call, 'storage.objects.create', resource)
  const bucket = theBucket(call)
  if (objectName === '' || Buffer.byteLength(objectName) > mostNameBytes || /[\r\n]/.test(objectName)) {
    throw invalid(`Invalid object name: '${objectName}'`)
  }
  const properties = patchProperties(
    contentType === null ? noProperties : { ...noProperties, texts: { contentType } },
    metadata,
  )
  if (properties.retention !== null) {
    need(call, 'storage.objects.setRetention', resource)
    checkNewRetention(bucket, properties.retention, call.service.now())
  }
  const sums = parseHashes(call.headers['x-goog-hash'])
  const upload: Upload = {
    bucketName: bucket.name,
    objectName,
    properties,
    storageClass:
      metadata['storageClass'] === undefined ? null : asText(metadata['storageClass'], 'storageClass'),
    conditions: parseConditions(call.query),
    expected: {
      crc32c: sums.crc32c ?? textOrNull(metadata['crc32c'], 'crc32c'),
      md5: sums.md5 ?? textOrNull(metadata['md5Hash'], 'md5Hash'),
    },
    mustBeAllowedToReplace: () => need(call, 'storage.objects.delete', resource),
  }
  checkConditions(upload.conditions, liveObject(bucket, objectName))
  return upload
}

const textOrNull = (value: unknown, what: string) =>
  value === undefined || value === null ? null : asText(value, what)

/** Of `x-goog-hash`: `crc32c=AAAAAA==,md5=...`, in any order. */
export function parseHashes(header: string | string[] | undefined): Partial<Expected> {
  const sums: { crc32c?: string; md5?: string } = {}
  for (const part of [header ?? []].flat().join(',').split(',')) {
    const match = /^\s*(crc32c|md5)=([\w+/]+=*)\s*$/.exec(part)
    if (match?.[1] === 'crc32c') sums.crc32c = match[2] ?? ''
    else if (match?.[1] === 'md5') sums.md5 = match[2] ?? ''
    else if (part.trim() !== '') throw invalid('Invalid x-goog-hash header.')
  }
  return sums
}

/** The commit point of every upload: in one step, without waiting, it becomes the live object, or throws. */
export function finishUpload(
  service: Service,
  upload: Upload,
  bytes: BytesBeingStored,
  origin: string,
): JsonRecord {
  const bucket = service.buckets.get(upload.bucketName)
  if (bucket === undefined) throw invalid('The bucket does not exist any more.')
  const stored = bytes.finish()
  const { expected, objectName: name } = upload
  if (expected.crc32c !== null && expected.crc32c !== stored.crc32c) {
    throw invalid(`Provided CRC32C "${expected.crc32c}" doesn't match calculated CRC32C "${stored.crc32c}".`)
  }
  if (expected.md5 !== null && stored.md5 !== null && expected.md5 !== stored.md5) {
    throw invalid(`Provided MD5 hash "${expected.md5}" doesn't match calculated MD5 hash "${stored.md5}".`)
  }
  const live = liveObject(bucket, name)
  checkConditions(upload.conditions, live)
  if (live !== null) upload.mustBeAllowedToReplace()
  service.throttle(bucket, name)
  const object = addObject(
    bucket,
    {
      name,
      bytes: stored,
      properties: upload.properties,
      ...(upload.storageClass === null ? {} : { storageClass: upload.storageClass }),
    },
    { now: service.now(), generation: service.nextGeneration() },
  )
  return writeObject(bucket, object, origin)
}

/** `uploadType=multipart`: metadata and bytes in one request. */
export async function insertMultipart(call: Call): Promise<Answer> {
  const related = await readRelated(call.body, boundaryOf(call.headers['content-type']))
  const metadata = asRecord(related.metadata, 'request')
  return insert(call, prepareUpload(call, metadata, related.contentType), related.media)
}

/** `uploadType=media`: the bytes alone, the name in the query. */
export async function insertMedia(call: Call): Promise<Answer> {
  return insert(call, prepareUpload(call, {}, call.headers['content-type'] ?? null), call.body)
}

async function insert(call: Call, upload: Upload, media: AsyncIterable<Buffer>): Promise<Answer> {
  const bytes = storeBytes({ md5: upload.expected.md5 !== null })
  for await (const piece of call.received(media)) bytes.append(piece)
  return json(finishUpload(call.service, upload, bytes, call.origin))
}
