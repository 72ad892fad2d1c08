// Calls about a bucket: create, get, patch, lock its retention policy, delete, and what one may do with it.
import { changeSettings, createBucket, lockRetentionPolicy, writeBucket } from './bucket.ts'
import { type Answer, type Call, json, need, theBucket } from './call.ts'
import { checkConditions, checkReadConditions, parseConditions } from './conditions.ts'
import { asText, readJson } from './json.ts'
import { invalid, Refusal } from './refusal.ts'

export async function insertBucket(call: Call): Promise<Answer> {
  const settings = await readJson(call.body)
  const name = asText(settings['name'], 'name')
  need(call, 'storage.buckets.create', name)
  const { buckets } = call.service
  if (buckets.has(name)) {
    throw new Refusal(
      409,
      'conflict',
      'Your previous request to create the named bucket succeeded and you already own it.',
    )
  }
  const objectRetention = call.query.get('enableObjectRetention') === 'true'
  const bucket = createBucket(name, settings, { objectRetention, now: call.service.now() })
  buckets.set(name, bucket)
  return json(writeBucket(bucket))
}

export function getBucket(call: Call): Answer {
  need(call, 'storage.buckets.get')
  const bucket = theBucket(call)
  checkReadConditions(parseConditions(call.query), versioned(bucket))
  return json(writeBucket(bucket))
}

export async function patchBucket(call: Call): Promise<Answer> {
  const changes = await readJson(call.body)
  need(call, 'storage.buckets.update')
  const bucket = theBucket(call)
  checkConditions(parseConditions(call.query), versioned(bucket))
  changeSettings(bucket, changes, call.service.now())
  return json(writeBucket(bucket))
}

export function lockBucket(call: Call): Answer {
  need(call, 'storage.buckets.update')
  const bucket = theBucket(call)
  const conditions = parseConditions(call.query)
  if (conditions.metagenerationMatch === null) throw invalid('Required parameter: ifMetagenerationMatch')
  checkConditions(conditions, versioned(bucket))
  lockRetentionPolicy(bucket, call.service.now())
  return json(writeBucket(bucket))
}

export function deleteBucket(call: Call): Answer {
  need(call, 'storage.buckets.delete')
  const bucket = theBucket(call)
  checkConditions(parseConditions(call.query), versioned(bucket))
  if (bucket.objects.size > 0)
    throw new Refusal(409, 'conflict', 'The bucket you tried to delete is not empty.')
  call.service.buckets.delete(bucket.name)
  return { status: 204 }
}

export function testIamPermissions(call: Call): Answer {
  theBucket(call)
  const permissions = call.query.getAll('permissions').filter(permission => call.may(permission))
  return json({
    kind: 'storage#testIamPermissionsResponse',
    ...(permissions.length === 0 ? {} : { permissions }),
  })
}

const versioned = ({ metageneration }: { readonly metageneration: number }) => ({
  generation: '',
  metageneration,
})
