import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFaultRule } from './fault-rule.ts'
import { createFaultScript, type Fault } from './faults.ts'

const unavailable: Fault = { type: 'status', status: 503, code: 14 }
const cut: Fault = { type: 'cut', afterBytes: 10 }
const get = { operation: 'objects.get', resource: 'calls/a' }
const list = { operation: 'objects.list', resource: 'calls/' }

test('a rule strikes the operations it names, after those it lets through, as often as it may', () => {
  const script = createFaultScript()
  script.add({ operation: 'objects.get', fault: unavailable, skip: 1, times: 2 })
  assert.equal(script.take(list), null)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => script.take(get)?.type ?? null),
    [null, 'status', 'status', null],
  )
  assert.deepEqual(script.injected, { status: 2 })
  assert.deepEqual(script.injectedByOperation, { 'objects.get': { status: 2 } })
})

test('the first rule that strikes decides; the others wait', () => {
  const script = createFaultScript()
  script.add({ operation: /^objects\./, fault: unavailable, times: 1 })
  script.add({ operation: 'any', fault: cut, times: 1, when: ({ resource }) => resource.endsWith('/a') })
  assert.equal(script.take(list), unavailable)
  assert.equal(script.take(list), null)
  assert.equal(script.take(get), cut)
  assert.equal(script.take(get), null)
})

test('a fault that is not possible for a request waits for one where it is', () => {
  const script = createFaultScript()
  script.add({ operation: 'any', fault: { type: 'corrupt', what: 'bytes' }, times: 1 })
  assert.equal(
    script.take(list, fault => fault.type !== 'corrupt'),
    null,
  )
  assert.deepEqual(script.injected, {})
  assert.equal(script.take(get)?.type, 'corrupt')
})

test('a probability is kept on the whole, and a seed strikes the same requests again', () => {
  const struck = (seed: number) => {
    const script = createFaultScript({ seed })
    script.add({ operation: 'any', fault: unavailable, probability: 0.05 })
    return Array.from({ length: 4_000 }, () => script.take(get) !== null)
  }
  assert.deepEqual(struck(7), struck(7))
  assert.notDeepEqual(struck(7), struck(8))
  const count = struck(7).filter(Boolean).length
  assert.ok(count > 140 && count < 260, String(count))
})

test('rules are forgotten, counts stay', () => {
  const script = createFaultScript()
  script.add({ operation: 'any', fault: cut })
  script.take(get)
  script.clear()
  assert.equal(script.take(get), null)
  assert.deepEqual(script.injected, { cut: 1 })
})

test('a rule in JSON means the same, and one that means nothing is refused', () => {
  const script = createFaultScript()
  script.add(parseFaultRule({ operation: '/get$/', fault: cut, resource: '^calls/' }))
  assert.equal(script.take(list), null)
  assert.equal(script.take({ ...get, resource: 'other/a' }), null)
  assert.equal(script.take(get), cut)
  for (const bad of [
    {},
    { operation: 'any' },
    { operation: 'any', fault: { type: 'fire' } },
    { operation: 'any', fault: { type: 'slow' } },
    { operation: 'any', fault: cut, propability: 0.05 },
  ]) {
    assert.throws(() => parseFaultRule(bad))
  }
})
