// Holds policies to C2SP tlog-policy: what can be said, what cannot, and who is enough.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newNoteSigner, newWitness, signedNote } from '../../../test/note-signer.ts'
import { utf8 } from './bytes.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { leafHash } from './leaf.ts'
import { formatPolicy, meetsQuorum, type Policy, parsePolicy, verifyCheckpoint } from './policy.ts'
import { formatVerifierKey, verifierKey } from './verifier-key.ts'

const isError = (code: AuditErrorCode) => (error: unknown) =>
  error instanceof AuditError && error.code === code

const log = newNoteSigner('auricle.test/anchor')
const names = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']
const witnesses = names.map(name => newWitness(`witness.test/${name}`))
const witnessKeys = witnesses.map(({ key }) => key)
const logKey = formatVerifierKey(log.key)
const [first = '', second = ''] = witnessKeys.map(formatVerifierKey)

/** The example of the specification. */
const example = `log ${logKey}

witness X1 ${first}
witness X2 ${second}
${names
  .slice(2)
  .map((name, place) => `witness ${name} ${witnessKeys.map(formatVerifierKey)[place + 2]}`)
  .join('\n')}
group X-witnesses 2 X1 X2 X3
\tgroup  Y-witnesses any Y1\tY2 Y3 
# both organizations
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`

test('the example of the specification', () => {
  const policy = parsePolicy(example)
  assert.deepEqual(policy.logs, [{ key: log.key, url: null }])
  assert.deepEqual(
    policy.witnesses.map(({ name }) => name),
    names,
  )
  assert.deepEqual(policy.groups, [
    { name: 'X-witnesses', needed: 2, members: ['X1', 'X2', 'X3'] },
    { name: 'Y-witnesses', needed: 1, members: ['Y1', 'Y2', 'Y3'] },
    { name: 'X-and-Y', needed: 2, members: ['X-witnesses', 'Y-witnesses'] },
  ])
  assert.equal(policy.quorum, 'X-and-Y')
  assert.deepEqual(parsePolicy(formatPolicy(policy)), policy)
})

test('the quorum of the example, over every set of witnesses', () => {
  const policy = parsePolicy(example)
  fc.assert(
    fc.property(fc.subarray(names), chosen => {
      const cosigners = chosen.map(name => witnessKeys[names.indexOf(name)] ?? assert.fail())
      const ofX = chosen.filter(name => name.startsWith('X')).length
      assert.equal(meetsQuorum(policy, cosigners), ofX >= 2 && chosen.length > ofX)
      // Once is enough, and twice is no more than once.
      assert.equal(meetsQuorum(policy, [...cosigners, ...cosigners]), ofX >= 2 && chosen.length > ofX)
    }),
  )
  const [key] = witnessKeys
  assert.ok(key)
  const otherKind = verifierKey(key.name, 'ed25519', key.publicKey)
  const one = parsePolicy(`witness X1 ${first}\nquorum X1\n`)
  assert.ok(meetsQuorum(one, [key]))
  assert.ok(!meetsQuorum(one, [otherKind, log.key, ...witnessKeys.slice(1)]))
  assert.ok(!meetsQuorum(one, []))
  assert.ok(meetsQuorum(parsePolicy('quorum none\n'), []))
})

test('a checkpoint takes the signature of its own log and enough witnesses', async () => {
  const policy = parsePolicy(
    `log ${logKey}\nwitness X1 ${first}\nwitness X2 ${second}\ngroup X 1 X1 X2\nquorum X\n`,
  )
  const checkpoint = { origin: 'auricle.test/anchor', size: 5, root: leafHash(utf8('leaf')) }
  const text = formatCheckpoint(checkpoint)
  const [one, two, stranger] = witnesses
  assert.ok(one && two && stranger)
  const found = await verifyCheckpoint(signedNote(text, log, two, stranger), policy)
  assert.deepEqual(found, { checkpoint, by: [log.key, two.key] })
  await assert.rejects(verifyCheckpoint(signedNote(text, log), policy), isError('unsigned'))
  await assert.rejects(verifyCheckpoint(signedNote(text, log, stranger), policy), isError('unsigned'))
  await assert.rejects(verifyCheckpoint(signedNote(text, one, two), policy), isError('unsigned'))
  await assert.rejects(verifyCheckpoint(signedNote(text, stranger), policy), isError('unsigned'))
  const elsewhere = formatCheckpoint({ ...checkpoint, origin: 'auricle.test/other' })
  await assert.rejects(verifyCheckpoint(signedNote(elsewhere, log, one), policy), isError('unsigned'))
  await assert.rejects(verifyCheckpoint(signedNote('text\n', log, one), policy), isError('bad_checkpoint'))
  const forged = { ...one.sign(text), payload: two.sign(text).payload }
  await assert.rejects(
    verifyCheckpoint(signedNote(text, log, two, { ...one, sign: () => forged }), policy),
    isError('bad_signature'),
  )
})

test('one key may sign several logs, each under its own name', () => {
  const year = (origin: string) => formatVerifierKey(verifierKey(origin, 'ed25519', log.key.publicKey))
  const policy = parsePolicy(
    `log ${year('auricle.test/a')}\nlog ${year('auricle.test/b')} https://b.test\nquorum none\n`,
  )
  assert.deepEqual(
    policy.logs.map(({ key, url }) => [key.name, url]),
    [
      ['auricle.test/a', null],
      ['auricle.test/b', 'https://b.test'],
    ],
  )
})

test('what is no policy is refused', () => {
  const cosigning = (key: { readonly name: string; readonly publicKey: Uint8Array }, name = key.name) =>
    formatVerifierKey(verifierKey(name, 'cosignature-ed25519', key.publicKey))
  const spelled: Readonly<Record<string, string>> = {
    empty: '',
    'no quorum': `log ${logKey}\n`,
    'two quorums': 'quorum none\nquorum none\n',
    'no last line feed': 'quorum none',
    'an unknown line': 'quorum none\nlogs x\n',
    'a keyword alone': 'quorum none\nlog\n',
    'a quorum of two': `witness A ${first}\nwitness B ${second}\nquorum A B\n`,
    'a quorum of nobody known': 'quorum A\n',
    'a quorum before its name': `quorum A\nwitness A ${first}\n`,
    'a word too many for a log': `log ${logKey} https://a.test x\nquorum none\n`,
    'a word too many for a witness': `witness A ${first} https://a.test x\nquorum none\n`,
    'a witness without a name': `witness ${first}\nquorum none\n`,
    'a witness called none': `witness none ${first}\nquorum none\n`,
    'a group called none': `witness A ${first}\ngroup none 1 A\nquorum none\n`,
    'a name twice': `witness A ${first}\nwitness A ${second}\nquorum A\n`,
    'a group with the name of a witness': `witness A ${first}\ngroup A 1 A\nquorum A\n`,
    'a group of itself': 'group A 1 A\nquorum A\n',
    'a group of one to come': `group G 1 A\nwitness A ${first}\nquorum G\n`,
    'a group of none': `witness A ${first}\ngroup G 1 none\nquorum G\n`,
    'an empty group': 'group G all\nquorum G\n',
    'a group that needs none': `witness A ${first}\ngroup G 0 A\nquorum G\n`,
    'a group that needs too many': `witness A ${first}\ngroup G 2 A\nquorum G\n`,
    'a group that needs 01': `witness A ${first}\ngroup G 01 A\nquorum G\n`,
    'a group that needs some': `witness A ${first}\ngroup G some A\nquorum G\n`,
    'a member twice': `witness A ${first}\ngroup G 1 A A\nquorum G\n`,
    'a member of two groups': `witness A ${first}\ngroup G 1 A\ngroup H 1 A\nquorum G\n`,
    'a log twice': `log ${logKey}\nlog ${logKey}\nquorum none\n`,
    'a witness twice': `witness A ${first}\nwitness B ${first}\nquorum none\n`,
    'a witness twice, under another key name': `witness A ${first}\nwitness B ${cosigning(witnessKeys[0] ?? log.key, 'w')}\nquorum none\n`,
    'a log as its own witness': `log ${logKey}\nwitness A ${cosigning(log.key)}\nquorum A\n`,
    'a log with the key of a witness': `log ${first}\nquorum none\n`,
    'a witness with the key of a log': `witness A ${logKey}\nquorum none\n`,
    'a key that is none': 'log auricle.test/anchor\nquorum none\n',
    'CR LF': 'quorum none\r\n',
    NUL: 'quorum none\n#\u0000\n',
    DEL: 'quorum none\n#\u007f\n',
    'a lone surrogate': 'quorum none\n#\ud800\n',
    'a no-break space between words': 'quorum\u00a0none\n',
    'too many': `${Array.from({ length: 1025 }, (_, n) => `log ${formatVerifierKey(verifierKey(`a/${n}`, 'ed25519', log.key.publicKey))}`).join('\n')}\nquorum none\n`,
  }
  for (const [name, text] of Object.entries(spelled)) {
    assert.throws(() => parsePolicy(text), isError('bad_policy'), name)
  }
})

test('a policy that could not be read again is not written', () => {
  const policy = parsePolicy(example)
  const [witness] = policy.witnesses
  assert.ok(witness)
  for (const other of [
    { quorum: 'none' },
    { quorum: 'nobody' },
    { quorum: '' },
    { logs: [{ key: log.key, url: 'https://a.test b' }] },
    { logs: [{ key: log.key, url: 'https://a.test\nquorum none' }] },
    { logs: [{ key: log.key, url: '' }] },
    { witnesses: [{ ...witness, name: 'X 1' }] },
    { witnesses: [...policy.witnesses, witness] },
    { groups: policy.groups.toReversed() },
  ]) {
    assert.throws(() => formatPolicy({ ...policy, ...other }), isError('bad_policy'))
  }
})

const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    used: fc.integer({ min: 0, max: names.length }),
    urls: fc.array(fc.constantFrom(null, 'https://a.test/'), { minLength: 7, maxLength: 7 }),
    sizes: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }),
    seed: fc.nat(),
  })
  .map(({ used, urls, sizes, seed }) => {
    const free = names.slice(0, used)
    const groups = sizes.flatMap((size, place) => {
      const members = free.splice(0, size)
      if (members.length === 0) return []
      free.push(`G${place}`)
      return [{ name: `G${place}`, needed: 1 + (seed % members.length), members }]
    })
    const defined = [...names.slice(0, used), ...groups.map(({ name }) => name)]
    return {
      logs: [{ key: log.key, url: urls[6] ?? null }],
      witnesses: witnessKeys
        .slice(0, used)
        .map((key, place) => ({ name: names[place] ?? '', key, url: urls[place] ?? null })),
      groups,
      quorum: defined[seed % (defined.length + 1)] ?? null,
    }
  })

test('any policy is read as it was written', () => {
  fc.assert(fc.property(anyPolicy, policy => assert.deepEqual(parsePolicy(formatPolicy(policy)), policy)))
})

test('whatever is read as a policy has one canonical text', () => {
  const word = fc.constantFrom(
    'log',
    'witness',
    'group',
    'quorum',
    'none',
    'any',
    'all',
    '1',
    'A',
    'B',
    logKey,
    first,
    second,
    '#',
    '\t',
    '\r',
  )
  const line = fc.array(word, { maxLength: 5 }).map(words => words.join(' '))
  const lines = fc.array(
    fc.oneof(line, fc.constantFrom('quorum none', `witness A ${first}`, 'group B any A')),
  )
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    lines.map(list => `${list.join('\n')}\n`),
  )
  fc.assert(
    fc.property(hostile, text => {
      try {
        const policy = parsePolicy(text)
        const canonical = formatPolicy(policy)
        assert.deepEqual(parsePolicy(canonical), policy)
        assert.equal(formatPolicy(parsePolicy(canonical)), canonical)
      } catch (error) {
        if (!isError('bad_policy')(error)) throw error
      }
    }),
    { numRuns: 1000 },
  )
})
