// Holds canonical JSON to the examples of RFC 8785 that need no fractions, and to its rules for any value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'

const refused = (value: unknown) =>
  assert.throws(
    () => canonicalJson(value),
    (error: unknown) => error instanceof AuditError && error.code === 'not_canonical',
  )

test('RFC 8785 section 3.2.2: strings and literals', () => {
  const input = JSON.parse(
    String.raw`{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  )
  assert.equal(
    canonicalJson(input),
    String.raw`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

test('RFC 8785 section 3.2.3: keys are ordered by UTF-16 code units', () => {
  const input = JSON.parse(
    String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
      "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
      "\u00f6":"Latin Small Letter O With Diaeresis"}`,
  )
  const order = [...canonicalJson(input).matchAll(/:"([^"]+)"/g)].map(match => match[1])
  assert.deepEqual(order, [
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

for (const [name, input, expected] of [
  ['arrays', '[\n 56,\n {"d": true, "10": null, "1": [ ]}\n]', '[56,{"1":[],"10":null,"d":true}]'],
  [
    'structures',
    String.raw`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0},"10": { },"": "empty","a": { },"111": [ {} ],"A": { }}`,
    String.raw`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}`,
  ],
  [
    'french',
    '{"peach": "1", "péché": "2", "pêche": "3", "sin": "4"}',
    '{"peach":"1","péché":"2","pêche":"3","sin":"4"}',
  ],
  [
    'unnormalized unicode',
    String.raw`{"Unnormalized Unicode":"A\u030a"}`,
    '{"Unnormalized Unicode":"A\u030a"}',
  ],
  [
    'delete and script',
    String.raw`{"\u0080":"Control\u007f","</script>":"x"}`,
    '{"</script>":"x","\u0080":"Control\u007f"}',
  ],
] as const) {
  test(`example of the RFC's author: ${name}`, () => {
    assert.equal(canonicalJson(JSON.parse(input)), expected)
  })
}

test('what two programs could read differently is refused', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  const hole: unknown[] = []
  hole.length = 1
  for (const value of [
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    -(2 ** 53),
    '\ud800',
    'a\udc00b',
    { '\ud800': 1 },
    undefined,
    { a: undefined },
    [undefined],
    hole,
    Object.assign([1], { extra: 1 }),
    1n,
    Symbol('s'),
    { [Symbol('s')]: 1 },
    Object.defineProperty({}, 'hidden', { value: 1, enumerable: false }),
    () => 1,
    { toJSON: () => 'other' },
    new Date(0),
    new Map(),
    new Uint8Array(1),
    cycle,
  ]) {
    refused(value)
  }
})

test('an object whose key is __proto__ keeps it', () => {
  assert.equal(canonicalJson(JSON.parse('{"__proto__":{"b":1},"a":2}')), '{"__proto__":{"b":1},"a":2}')
})

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger().map(n => (Object.is(n, -0) ? 0 : n)),
  fc.boolean(),
  fc.constant(null),
)
const { value: anyValue } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
}))

test('any value is read back as it was, and the order of its keys does not matter', () => {
  fc.assert(
    fc.property(anyValue, value => {
      const text = canonicalJson(value)
      const again: unknown = JSON.parse(text)
      assert.deepEqual(again, value)
      assert.equal(canonicalJson(again), text)
      assert.equal(canonicalJson(reversed(value)), text)
    }),
  )
})

test('keys of any object stand in order of their UTF-16 code units', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary' })), keys => {
      const entries = keys.map(key => [key, 0] as const)
      const text = canonicalJson(Object.fromEntries(entries))
      const sorted = keys.toSorted((a, b) => compareUnits(a, b)).map(key => `${JSON.stringify(key)}:0`)
      assert.equal(text, `{${sorted.join(',')}}`)
    }),
  )
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

function compareUnits(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
