// Listing: by prefix and delimiter, page by page, in the order of the names' bytes.

import type { Bucket } from './bucket.ts'
import { type Answer, type Call, json, need, theBucket } from './call.ts'
import { asInt64 } from './json.ts'
import { type StoredObject, writeObject } from './object.ts'
import { invalid } from './refusal.ts'

export function listObjects(call: Call): Answer {
  need(call, 'storage.objects.list')
  const bucket = theBucket(call)
  const { query } = call
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const most = query.get('maxResults')
  const { pageObjectsMost } = call.service
  const perPage = most === null ? pageObjectsMost : Math.min(pageObjectsMost, asInt64(most, 'maxResults'))
  if (perPage === 0) throw invalid('Invalid value for maxResults.')
  const token = query.get('pageToken')
  const after = token === null || token === '' ? null : Buffer.from(token, 'base64url').toString()
  const startOffset = query.get('startOffset') ?? ''
  const endOffset = query.get('endOffset') ?? ''

  const items: StoredObject[] = []
  const prefixes: string[] = []
  /** The last one on the page: the next page begins after it. */
  let last: string | null = null
  let nextPageToken: string | null = null
  for (const { place, object } of candidates(bucket, query, prefix)) {
    if (after !== null && compareBytes(place, after) <= 0) continue
    if (object.name < startOffset || (endOffset !== '' && object.name >= endOffset)) continue
    const cut = delimiter === '' ? -1 : object.name.indexOf(delimiter, prefix.length)
    const folder = cut === -1 ? null : object.name.slice(0, cut + delimiter.length)
    // Of a folder that the page before has named, nothing is told again.
    if (folder !== null && (folder === prefixes.at(-1) || after?.startsWith(folder))) continue
    if (items.length + prefixes.length === perPage) {
      nextPageToken = Buffer.from(last ?? '').toString('base64url')
      break
    }
    if (folder === null) items.push(object)
    else prefixes.push(folder)
    last = place
  }
  return json({
    kind: 'storage#objects',
    ...(nextPageToken === null ? {} : { nextPageToken }),
    ...(prefixes.length === 0 ? {} : { prefixes }),
    ...(items.length === 0 ? {} : { items: items.map(object => writeObject(bucket, object, call.origin)) }),
  })
}

interface Candidate {
  /** Where it stands in the order: its name, and its generation among those of the same name. */
  readonly place: string
  readonly object: StoredObject
}

const generationDigits = 19

function candidates(bucket: Bucket, query: URLSearchParams, prefix: string): Candidate[] {
  const withNoncurrent = query.get('versions') === 'true'
  const objects =
    query.get('softDeleted') === 'true'
      ? bucket.softDeleted.filter(object => object.name.startsWith(prefix))
      : [...bucket.objects]
          .filter(([name]) => name.startsWith(prefix))
          .flatMap(([, generations]) => generations)
          .filter(object => withNoncurrent || object.noncurrentSince === null)
  return objects
    .map(object => ({
      place: `${object.name}\0${object.generation.padStart(generationDigits, '0')}`,
      object,
    }))
    .sort((a, b) => compareBytes(a.place, b.place))
}

/** As UTF-8 orders, which is not how JavaScript compares texts beyond the basic plane. */
function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  const isPlain = !/[\ud800-\uffff]/.test(a + b)
  return isPlain ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
