// One request as the calls see it, and what they answer.
import type { IncomingHttpHeaders } from 'node:http'
import type { Bucket } from './bucket.ts'
import { noSuchBucket, noSuchObject, type Refusal } from './refusal.ts'
import type { Sessions } from './session.ts'

export interface Call {
  readonly bucketName: string
  /** '' where the call is about none. */
  readonly objectName: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Buffer>
  /** The service's address as the caller wrote it, without a slash at the end. */
  readonly origin: string
  readonly service: Service
  /** Whether the caller has the permission on what the call is about, or on another resource. */
  may(permission: string, resource?: string): boolean
  /** The same, and it is noted that it was needed. */
  use(permission: string, resource?: string): boolean
  /** The refusal that the caller gets who has not. */
  forbid(permission: string): Refusal
  /** Of an upload: lets its bytes through, or what a fault makes of them. */
  received(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer>
}

/** What all calls share. */
export interface Service {
  readonly buckets: Map<string, Bucket>
  readonly sessions: Sessions
  /** How many objects a page of a list has at most, whatever is asked for. */
  readonly pageObjectsMost: number
  now(): number
  nextGeneration(): string
  /** Throws where the name was written within the last second, if that is watched. */
  throttle(bucket: Bucket, name: string): void
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A resource, or the bytes of an object. */
  readonly body?:
    | { readonly type: 'json'; readonly value: unknown }
    | { readonly type: 'bytes'; readonly pieces: Iterable<Buffer>; readonly size: number }
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers, body: { type: 'json', value } }
}

export function theBucket(call: Call, name: string = call.bucketName): Bucket {
  const bucket = call.service.buckets.get(name)
  if (bucket === undefined) throw noSuchBucket()
  return bucket
}

/** What permissions are given on: `bucket`, or `bucket/object`. */
export function resourceName(bucketName: string, objectName: string): string {
  return objectName === '' ? bucketName : `${bucketName}/${objectName}`
}

/** Throws where the caller has not the permission on what the call is about, or on another resource. */
export function need(call: Call, permission: string, resource?: string): void {
  if (!call.use(permission, resource)) throw call.forbid(permission)
}

/** Who may not list does not learn that an object is absent: it is refused as one that exists and may not be had. */
export function absentObject(call: Call, permission: string): Refusal {
  if (!call.may('storage.objects.list', call.bucketName)) return call.forbid(permission)
  return noSuchObject(call.bucketName, call.objectName)
}
