// Which call a request is, by its method, path and query.
import * as buckets from './bucket-calls.ts'
import type { Answer, Call } from './call.ts'
import { isFinal, parseUploadRange } from './content-range.ts'
import { listObjects } from './list.ts'
import * as objects from './object-calls.ts'
import { Refusal } from './refusal.ts'
import { beginResumable, cancelSession, putChunk } from './resumable.ts'
import { insertMedia, insertMultipart } from './upload.ts'

export interface Route {
  /** What the call is named in counts and in rules for faults. */
  readonly operation: string
  readonly bucketName: string
  readonly objectName: string
  readonly run: (call: Call) => Answer | Promise<Answer>
  /** Whether the request carries bytes of an object, the answer does, or the answer tells an object's checksum. */
  readonly carries: { readonly upload: boolean; readonly download: boolean; readonly checksum: boolean }
  /** The address of a session is a right of its own: whoever has it needs no other. */
  readonly isSession: boolean
}

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly contentRange: string | undefined
}

/** Throws where there is no such call. */
export function route(asked: Asked): Route {
  const found = asked.url.pathname.startsWith('/upload/') ? uploadRoute(asked) : plainRoute(asked)
  if (found === null) throw new Refusal(404, 'notFound', 'Not Found')
  return found
}

type Carries = Partial<Route['carries']>

function make(
  operation: string,
  names: readonly string[],
  run: Route['run'],
  { upload = false, download = false, checksum = false }: Carries = {},
): Route {
  const [bucketName = '', objectName = ''] = names
  return { operation, bucketName, objectName, run, carries: { upload, download, checksum }, isSession: false }
}

function uploadRoute({ method, url, contentRange }: Asked): Route | null {
  const names = match(/^\/upload\/storage\/v1\/b\/([^/]+)\/o$/, url)
  if (names === null) return null
  const type = url.searchParams.get('uploadType')
  const [bucket = ''] = names
  const named = [bucket, url.searchParams.get('name') ?? '']
  if (url.searchParams.has('upload_id')) {
    const session = sessionRoute(method, [bucket], contentRange)
    return session === null ? null : { ...session, isSession: true }
  }
  if (method !== 'POST') return null
  if (type === 'multipart') {
    return make('objects.insert.multipart', named, insertMultipart, { upload: true, checksum: true })
  }
  if (type === 'media')
    return make('objects.insert.media', named, insertMedia, { upload: true, checksum: true })
  if (type === 'resumable') return make('objects.insert.resumable.start', named, beginResumable)
  return null
}

function sessionRoute(
  method: string,
  names: readonly string[],
  contentRange: string | undefined,
): Route | null {
  if (method === 'DELETE') return make('objects.insert.resumable.cancel', names, cancelSession)
  if (method !== 'PUT') return null
  const range = parseUploadRange(contentRange)
  if (range.type === 'status') return make('objects.insert.resumable.status', names, putChunk)
  const carries = { upload: true, checksum: isFinal(range) }
  return make('objects.insert.resumable.chunk', names, putChunk, carries)
}

function plainRoute({ method, url }: Asked): Route | null {
  const bucketOnly = match(/^\/storage\/v1\/b\/([^/]+)$/, url)
  if (url.pathname === '/storage/v1/b' && method === 'POST')
    return make('buckets.insert', [], buckets.insertBucket)
  if (bucketOnly !== null) {
    if (method === 'GET') return make('buckets.get', bucketOnly, buckets.getBucket)
    if (method === 'PATCH') return make('buckets.patch', bucketOnly, buckets.patchBucket)
    if (method === 'DELETE') return make('buckets.delete', bucketOnly, buckets.deleteBucket)
  }
  const lock = match(/^\/storage\/v1\/b\/([^/]+)\/lockRetentionPolicy$/, url)
  if (lock !== null && method === 'POST') return make('buckets.lockRetentionPolicy', lock, buckets.lockBucket)
  const test = match(/^\/storage\/v1\/b\/([^/]+)\/iam\/testPermissions$/, url)
  if (test !== null && method === 'GET')
    return make('buckets.testIamPermissions', test, buckets.testIamPermissions)
  const list = match(/^\/storage\/v1\/b\/([^/]+)\/o$/, url)
  if (list !== null && method === 'GET') return make('objects.list', list, listObjects)
  return objectRoute(method, url)
}

function objectRoute(method: string, url: URL): Route | null {
  const names = match(/^\/(?:download\/)?storage\/v1\/b\/([^/]+)\/o\/([^/]+)$/, url)
  if (names !== null) {
    if (method === 'GET' && url.searchParams.get('alt') === 'media') {
      return make('objects.get.media', names, objects.readObject, { download: true, checksum: true })
    }
    if (method === 'GET') return make('objects.get', names, objects.getObject, { checksum: true })
    if (method === 'PATCH') return make('objects.patch', names, objects.patchObject)
    if (method === 'DELETE') return make('objects.delete', names, objects.deleteObject)
  }
  const restore = match(/^\/storage\/v1\/b\/([^/]+)\/o\/([^/]+)\/restore$/, url)
  if (restore !== null && method === 'POST') return make('objects.restore', restore, objects.restoreObject)
  const copy = match(/^\/storage\/v1\/b\/([^/]+)\/o\/([^/]+)\/rewriteTo\/b\/([^/]+)\/o\/([^/]+)$/, url)
  if (copy === null || method !== 'POST') return null
  const [, , bucketName = '', objectName = ''] = copy
  return make('objects.rewrite', copy, call => objects.rewriteObject(call, { bucketName, objectName }))
}

function match(pattern: RegExp, url: URL): string[] | null {
  const found = pattern.exec(url.pathname)
  if (found === null) return null
  try {
    return found.slice(1).map(decodeURIComponent)
  } catch (cause) {
    throw Object.assign(new Refusal(400, 'invalid', 'Bad Request'), { cause })
  }
}
