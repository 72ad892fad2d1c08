import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectError } from '../error.ts'
import { ApiFailure, type Meaning, meaningOf, objectError } from './api-failure.ts'
import { readFailure, unanswered } from './read-failure.ts'

const body = (reason: string, message: string) => ({ error: { message, errors: [{ reason, message }] } })

test('a refusal means what the service says', async () => {
  const cases: [number, unknown, Meaning][] = [
    [429, body('rateLimitExceeded', ''), 'again'],
    [503, '<html>busy</html>', 'again'],
    [403, body('rateLimitExceeded', ''), 'again'],
    [401, body('authError', 'Invalid Credentials'), 'denied'],
    [403, body('forbidden', "Permission 'storage.objects.delete' denied on resource"), 'denied'],
    // Holds come as `forbidden`, told by the sentence alone, or by the reason that is documented.
    [403, body('forbidden', "Object 'b/o' is under active Temporary hold and cannot be deleted"), 'held'],
    [403, body('forbidden', "Object 'b/o' is under active Event-Based hold and cannot be deleted"), 'held'],
    [403, body('objectUnderActiveHold', ''), 'held'],
    [403, body('retentionPolicyNotMet', "Object 'b/o' is subject to bucket's retention policy"), 'retained'],
    [404, body('notFound', 'No such object: b/o'), 'absent'],
    [404, 'No such object: b/o', 'absent'],
    [404, body('notFound', 'Not Found'), 'absent'],
    [404, body('notFound', 'The specified bucket does not exist.'), 'no_bucket'],
    [404, 'The specified bucket does not exist.', 'no_bucket'],
    // Somebody in between, who knows nothing of objects.
    [404, '<html>404 page not found</html>', 'refused'],
    [404, '', 'refused'],
    [412, body('conditionNotMet', ''), 'condition'],
    [416, '', 'range'],
    [
      400,
      body('invalid', 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "AAAAAB==".'),
      'checksum',
    ],
    [400, body('invalid', 'Object retention is not enabled on the bucket.'), 'refused'],
    [301, '', 'refused'],
  ]
  for (const [status, answered, meaning] of cases) {
    const failure = await readFailure(status, new Headers(), answered)
    assert.equal(meaningOf(failure), meaning, `${status} ${JSON.stringify(answered)}`)
    const error = objectError(failure)
    assert.ok(error instanceof ObjectError)
    assert.equal(error.cause, failure)
    // Only what may be otherwise in a moment is worth another try.
    if (meaning === 'again') assert.ok(error.transient)
    if (meaning === 'denied' || meaning === 'refused') assert.ok(!error.transient)
    assert.notEqual(error.code === 'not_found', meaning !== 'absent')
  }
})

test('how long to wait is told in seconds or as a date', async () => {
  const wait = async (text: string) =>
    (await readFailure(503, new Headers({ 'retry-after': text }), '')).retryAfterMs
  assert.equal(await wait('7'), 7000)
  assert.equal(await wait('0'), 0)
  assert.equal(await wait('Thu, 01 Jan 1970 00:00:00 GMT'), 0)
  const later = await wait(new Date(Date.now() + 60_000).toUTCString())
  assert.ok(later !== null && 50_000 < later && later <= 60_000)
  for (const text of ['soon', '-1', '1e9', '99999999999']) assert.equal(await wait(text), null)
})

test('what was not answered tells a code and no address', () => {
  const address = 'https://storage.example/upload?upload_id=secret'
  const reset = Object.assign(new Error(`read ECONNRESET from ${address}`), { code: 'ECONNRESET' })
  for (const error of [reset, new Error(`request to ${address} failed`, { cause: reset }), address, null]) {
    const failure = unanswered(error)
    assert.equal(failure.status, null)
    assert.equal(meaningOf(failure), 'again')
    assert.doesNotMatch(`${failure.message} ${failure.reason}`, /storage\.example|secret/)
  }
})

test('what is no failure of a request stays as it is', () => {
  const error = new Error('mine')
  assert.equal(objectError(error), error)
  assert.equal(meaningOf(new ObjectError('held', '')), null)
  assert.ok(new ApiFailure({ status: 1, reason: '', message: '' }) instanceof Error)
})
