// Holds notes, keys and checkpoints to published ones, and to refusal of everything that is spelled otherwise.
import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { newNoteSigner, signedNote } from '../../../test/note-signer.ts'
import { concat, fromBase64, toBase64, utf8 } from './bytes.ts'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { leafHash } from './leaf.ts'
import { createTree, emptyRoot } from './merkle.ts'
import { formatNote, noteSignature, parseNote, parseSignatures, signatureLine, verifyNote } from './note.ts'
import { formatVerifierKey, parseVerifierKey, verifierKey } from './verifier-key.ts'

const isError = (code: AuditErrorCode) => (error: unknown) =>
  error instanceof AuditError && error.code === code

const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const exampleNote = `This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`

test('the published example of a signed note', async () => {
  const key = parseVerifierKey(exampleKey)
  assert.equal(key.name, 'example.com/foo')
  assert.equal(key.keyId, '530d903a')
  assert.equal(formatVerifierKey(key), exampleKey)
  const { note, by } = await verifyNote(exampleNote, [key])
  assert.equal(note.text, 'This is an example message.\n')
  assert.deepEqual(by, [key])
  assert.equal(formatNote(note), exampleNote)
})

const words = 'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(' ')
const testLogKey = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
/** TEST ONLY: the seed of the test log of transparency-dev/tessera, a public vector in its repository. */
const publicTestSeed = 'eca663f499017d2365c27c7a7679158d43cfec1330bdb259290afbd0d21777a0'

test('the published test log: its roots, checkpoints and signatures', async () => {
  const key = parseVerifierKey(testLogKey)
  assert.equal(
    Buffer.from(key.publicKey).toString('hex'),
    'e1d3bb843784420c1cda9ce9f01232cab7aca371dbcd0d23ea0ee710859244b1',
  )
  const privateKey = createPrivateKey({
    key: Buffer.from(`302e020100300506032b657004220420${publicTestSeed}`, 'hex'),
    format: 'der',
    type: 'pkcs8',
  })
  const tree = createTree()
  const roots = [toBase64(tree.root())]
  for (const word of words) {
    tree.append(leafHash(utf8(word)))
    roots.push(toBase64(tree.root()))
  }
  assert.equal(roots[0], '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  assert.equal(roots[1], '0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=')
  for (const [size, root, payload] of [
    [
      10,
      'y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU=',
      'M9e0lrmwaVEOWFZ+HS5ITnRd2YMOSWE5QeoYu+6DHwJLnJ+SVeJ2ZiYeD7lVC5oGJx76gbfLSyCUEq6D8JkarrsuiQQ=',
    ],
    [
      15,
      'rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=',
      'M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=',
    ],
  ] as const) {
    assert.equal(roots[size], root)
    const text = formatCheckpoint({ origin: key.name, size, root: fromBase64(root) ?? assert.fail() })
    assert.equal(text, `example.com/log/testdata\n${size}\n${root}\n`)
    const line = signatureLine(key, sign(null, utf8(text), privateKey))
    assert.equal(line, `\u2014 example.com/log/testdata ${payload}\n`)
    const { note, by } = await verifyNote(`${text}\n${line}`, [key])
    assert.deepEqual(by, [key])
    assert.deepEqual(parseCheckpoint(note.text), { origin: key.name, size, root: fromBase64(root) })
  }
})

test('Ed25519 and P-256 sign the same note; unknown keys are passed over', async () => {
  const first = newNoteSigner('auricle.test/anchor')
  const second = newNoteSigner('auricle.test/anchor', 'ecdsa-p256')
  const stranger = newNoteSigner('auricle.test/anchor')
  const note = signedNote('a\n\nb\n', first, second, stranger)
  const keys = [first.key, second.key]
  assert.deepEqual((await verifyNote(note, keys)).by, keys)
  assert.equal((await verifyNote(note, keys)).note.text, 'a\n\nb\n')
  assert.deepEqual((await verifyNote(note, [second.key])).by, [second.key])
  for (const key of keys) assert.deepEqual(parseVerifierKey(formatVerifierKey(key)), key)
  await assert.rejects(verifyNote(signedNote('a\n', stranger), keys), isError('unsigned'))
  await assert.rejects(verifyNote(note, []), isError('unsigned'))
})

test('a known key with a false signature spoils the note, whatever else is in it', async () => {
  for (const algorithm of ['ed25519', 'ecdsa-p256'] as const) {
    const known = newNoteSigner('auricle.test/log', algorithm)
    const other = newNoteSigner('auricle.test/other')
    const text = 'text\n'
    const right = concat(known.payload(text))
    for (const wrong of [
      known.payload('another text\n'),
      known.payload('text'),
      right.with(9, (right[9] ?? 0) ^ 1),
      right.slice(0, -1),
      concat(right, Uint8Array.of(0)),
      Uint8Array.of(0),
      new Uint8Array(64),
      new Uint8Array(5000),
    ]) {
      const note = formatNote({
        text,
        signatures: [other.sign(text), noteSignature(known.key, wrong)],
      })
      await assert.rejects(verifyNote(note, [known.key, other.key]), isError('bad_signature'))
      await assert.rejects(verifyNote(note, [known.key]), isError('bad_signature'))
      assert.deepEqual((await verifyNote(note, [other.key])).by, [other.key])
    }
  }
})

test('no altered character of a note leaves it verified', async () => {
  const pair = newNoteSigner('auricle.test/log')
  const note = signedNote('auricle.test/log\n5\nabc\n', pair)
  await verifyNote(note, [pair.key])
  for (let place = 0; place < note.length; place++) {
    for (const other of ['', 'A', '\n', ' ']) {
      const altered = note.slice(0, place) + other + note.slice(place + 1)
      if (altered !== note)
        await assert.rejects(verifyNote(altered, [pair.key]), AuditError, `${place} ${other}`)
    }
  }
})

test('two trusted keys that notes cannot tell apart are refused', async () => {
  const pair = newNoteSigner('auricle.test/log')
  const other = { ...newNoteSigner('auricle.test/log').key, keyId: pair.key.keyId }
  const note = signedNote('text\n', pair)
  await assert.rejects(verifyNote(note, [pair.key, other]), isError('bad_key'))
  assert.deepEqual((await verifyNote(note, [pair.key, { ...pair.key }])).by, [pair.key])
})

test('what is no signed note is refused', () => {
  const note = signedNote('auricle.test/log\n5\nabc\n', newNoteSigner('auricle.test/log'))
  const [line = ''] = /\u2014.*\n$/.exec(note) ?? []
  const payload = line.split(' ')[2]?.trim() ?? ''
  const text = note.slice(0, -line.length)
  assert.equal(formatNote(parseNote(note)), note)
  const spelled: Readonly<Record<string, string>> = {
    empty: '',
    'CR LF': note.replaceAll('\n', '\r\n'),
    'a carriage return': note.replace('5\n', '5\r\n'),
    TAB: note.replace('5', '\t5'),
    NUL: note.replace('5', '5\u0000'),
    escape: note.replace('5', '\u001b5'),
    'a lone surrogate': note.replace('abc', 'ab\ud800'),
    'hyphen for dash': note.replace('\u2014', '-'),
    'en dash': note.replace('\u2014', '\u2013'),
    'two hyphens': note.replace('\u2014', '--'),
    'no last line feed': note.slice(0, -1),
    'an empty line below': `${note}\n`,
    'two empty lines below': `${note}\n\n`,
    'text below': `${note}text\n`,
    'no empty line': note.replace('\n\n', '\n'),
    'no signatures': text,
    'nothing after the text': text.slice(0, -1),
    'space before the dash': note.replace('\u2014', ' \u2014'),
    'two spaces': note.replace('\u2014 ', '\u2014  '),
    'no-break space': note.replace('\u2014 ', '\u2014\u00a0'),
    'space at the end': `${note.slice(0, -1)} \n`,
    'plus sign in the name': note.replace('\u2014 auricle', '\u2014 auri+cle'),
    'space in the name': note.replace('\u2014 auricle', '\u2014 auri cle'),
    'ideographic space in the name': note.replace('\u2014 auricle', '\u2014 auri\u3000cle'),
    'next line in the name': note.replace('\u2014 auricle', '\u2014 auri\u0085cle'),
    'no name': `${text}\u2014 ${payload}\n`,
    'an empty name': `${text}\u2014  ${payload}\n`,
    'no signature in the line': `${text}\u2014 auricle.test/log\n`,
    'the id alone': `${text}\u2014 auricle.test/log ${toBase64(new Uint8Array(4))}\n`,
    'less than an id': `${text}\u2014 auricle.test/log AAAA\n`,
    'no padding': note.replaceAll('=', ''),
    'URL alphabet': `${text}\u2014 auricle.test/log ${payload.slice(0, -4)}-_==\n`,
    'bits left over': `${text}\u2014 auricle.test/log AAAAAAB=\n`,
    'too much padding': note.replace(/=*\n$/, '====\n'),
    '17 signatures': text + line.repeat(17),
  }
  for (const [name, other] of Object.entries(spelled)) {
    assert.notEqual(other, note, name)
    assert.throws(() => parseNote(other), isError('bad_note'), name)
  }
  assert.equal(parseNote(text + line.repeat(16)).signatures.length, 16)
})

test('two empty lines leave a text that the key did not sign', async () => {
  const pair = newNoteSigner('auricle.test/log')
  const note = signedNote(formatCheckpoint({ origin: 'auricle.test/log', size: 5, root: emptyRoot }), pair)
  const wider = note.replace('\n\n', '\n\n\n')
  await assert.rejects(verifyNote(wider, [pair.key]), isError('bad_signature'))
  assert.throws(() => parseCheckpoint(parseNote(wider).text), isError('bad_checkpoint'))
})

test('notes that could not be read again are not written', () => {
  const { key } = newNoteSigner('auricle.test/log')
  const signature = noteSignature(key, new Uint8Array(64))
  const note = { text: 'text\n', signatures: [signature] }
  for (const other of [
    { text: 'text' },
    { text: '' },
    { text: 'te\rxt\n' },
    { text: 'te\ud800xt\n' },
    { signatures: [] },
    { signatures: Array.from({ length: 17 }, () => signature) },
    { signatures: [{ ...signature, name: 'a b' }] },
    { signatures: [{ ...signature, name: '' }] },
    { signatures: [{ ...signature, keyId: '0000000' }] },
    { signatures: [{ ...signature, keyId: 'ABCDEF00' }] },
    { signatures: [{ ...signature, payload: new Uint8Array(0) }] },
  ]) {
    assert.throws(() => formatNote({ ...note, ...other }), isError('bad_note'))
  }
})

const anyName = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter(name => !/[\p{White_Space}\p{Cc}+]/u.test(name))
const anySignature = fc.record(
  {
    name: anyName,
    keyId: fc.integer({ min: 0, max: 0xffffffff }).map(id => id.toString(16).padStart(8, '0')),
    payload: fc.uint8Array({ minLength: 1, maxLength: 80 }).map(bytes => concat(bytes)),
  },
  { noNullPrototype: true },
)
const anyNote = fc.record(
  {
    text: fc
      .array(
        fc.string({ unit: 'grapheme' }).filter(line => !/\p{Cc}/u.test(line)),
        { minLength: 1 },
      )
      .map(lines => `${lines.join('\n')}\n`),
    signatures: fc.array(anySignature, { minLength: 1, maxLength: 16 }),
  },
  { noNullPrototype: true },
)

test('any note is read as it was written', () => {
  fc.assert(fc.property(anyNote, note => assert.deepEqual(parseNote(formatNote(note)), note)))
})

test('whatever is read as a note, signatures, key or checkpoint is written as it was', async () => {
  const piece = fc.constantFrom(
    '\n',
    '\n\n',
    '\u2014 ',
    'a.b/c',
    ' ',
    '+',
    'AAAAAAE=',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '0',
    '12',
    '\r',
    exampleKey,
    exampleNote,
  )
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map(parts => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(hostile, async text => {
      for (const again of [
        () => formatNote(parseNote(text)),
        () => formatVerifierKey(parseVerifierKey(text)),
        () => formatCheckpoint(parseCheckpoint(text)),
        () => parseSignatures(text) && text,
      ]) {
        try {
          assert.equal(again(), text)
        } catch (error) {
          if (!(error instanceof AuditError)) throw error
        }
      }
      try {
        await verifyNote(text, [parseVerifierKey(exampleKey)])
      } catch (error) {
        if (!(error instanceof AuditError)) throw error
      }
    }),
    { numRuns: 500 },
  )
})

test('what is no verifier key is refused', () => {
  const [name = '', id = '', encoded = ''] = exampleKey.split('+')
  const bytes = fromBase64(encoded) ?? assert.fail()
  const p256 = newNoteSigner(name, 'ecdsa-p256').key
  const spelled: Readonly<Record<string, string>> = {
    empty: '',
    'no name': `+${id}+${encoded}`,
    'space in the name': exampleKey.replace('foo', 'f oo'),
    'line feed in the name': exampleKey.replace('foo', 'f\noo'),
    'another name': exampleKey.replace('foo', 'bar'),
    'another id': exampleKey.replace(id, '530d903b'),
    'upper-case id': exampleKey.replace(id, id.toUpperCase()),
    'short id': exampleKey.replace(id, id.slice(1)),
    'no key': `${name}+${id}+`,
    'line feed at the end': `${exampleKey}\n`,
    'no padding': `${name}+${id}+${encoded.slice(0, -1)}`,
    'short key': `${name}+${id}+${toBase64(bytes.slice(0, -1))}`,
    'long key': `${name}+${id}+${toBase64(concat(bytes, Uint8Array.of(0)))}`,
    'another algorithm': `${name}+${id}+${toBase64(bytes.with(0, 6))}`,
    'no algorithm': `${name}+${id}+${toBase64(bytes.with(0, 0))}`,
    'cosignature under the id of a signature': `${name}+${id}+${toBase64(bytes.with(0, 4))}`,
    'a point that is compressed': formatVerifierKey({ ...p256, publicKey: p256.publicKey.with(26, 2) }),
    'another curve': formatVerifierKey({ ...p256, publicKey: p256.publicKey.with(22, 6) }),
  }
  for (const [kind, other] of Object.entries(spelled)) {
    assert.notEqual(other, exampleKey, kind)
    assert.throws(() => parseVerifierKey(other), isError('bad_key'), kind)
  }
  for (const other of [
    p256.publicKey.with(26, 2),
    p256.publicKey.with(22, 6),
    p256.publicKey.slice(1),
    concat(p256.publicKey, Uint8Array.of(0)),
  ]) {
    assert.throws(() => verifierKey(name, 'ecdsa-p256', other), isError('bad_key'))
  }
  assert.throws(() => verifierKey('a+b', 'ed25519', new Uint8Array(32)), isError('bad_key'))
  assert.throws(() => verifierKey('a', 'ed25519', new Uint8Array(31)), isError('bad_key'))
})

test('a key that is no point of its curve is no reason to fail in another way', async () => {
  const known = newNoteSigner('auricle.test/log', 'ecdsa-p256')
  const off = verifierKey('auricle.test/log', 'ecdsa-p256', known.key.publicKey.with(60, 0).with(61, 0))
  const note = formatNote({ text: 'text\n', signatures: [noteSignature(off, known.payload('text\n'))] })
  await assert.rejects(verifyNote(note, [off]), isError('bad_key'))
  for (const fill of [0x00, 0x01, 0x02, 0x7f, 0xff]) {
    const key = verifierKey('auricle.test/log', 'ed25519', new Uint8Array(32).fill(fill))
    const other = { text: 'text\n', signatures: [noteSignature(key, new Uint8Array(64).fill(0xff))] }
    await assert.rejects(verifyNote(formatNote(other), [key]), AuditError)
  }
})

test('what is no checkpoint is refused', () => {
  const root = leafHash(utf8('leaf'))
  const text = formatCheckpoint({ origin: 'auricle.test/log', size: 12, root })
  assert.deepEqual(parseCheckpoint(text), { origin: 'auricle.test/log', size: 12, root })
  const spelled: Readonly<Record<string, string>> = {
    empty: '',
    'no last line feed': text.slice(0, -1),
    'an empty line below': `${text}\n`,
    'a further line': `${text}extension\n`,
    'no origin': text.replace('auricle.test/log', ''),
    'space in the origin': text.replace('test', 'te st'),
    'plus sign in the origin': text.replace('test', 'te+st'),
    'leading zero': text.replace('12', '012'),
    'plus sign': text.replace('12', '+12'),
    'minus sign': text.replace('12', '-12'),
    fraction: text.replace('12', '12.0'),
    exponent: text.replace('12', '1e1'),
    hexadecimal: text.replace('12', '0x12'),
    'no size': text.replace('12', ''),
    'Arabic digits': text.replace('12', '\u0661\u0662'),
    'too large': text.replace('12', '9007199254740992'),
    'far too large': text.replace('12', '99999999999999999999'),
    'empty with a root': text.replace('12', '0'),
    'root of 31 bytes': text.replace(toBase64(root), toBase64(root.slice(1))),
    'root of 33 bytes': text.replace(toBase64(root), toBase64(concat(root, Uint8Array.of(0)))),
    'root in hexadecimal': text.replace(toBase64(root), Buffer.from(root).toString('hex')),
    'root without padding': text.replace('=', ''),
    'CR LF': text.replaceAll('\n', '\r\n'),
  }
  for (const [name, other] of Object.entries(spelled)) {
    assert.notEqual(other, text, name)
    assert.throws(() => parseCheckpoint(other), isError('bad_checkpoint'), name)
  }
  for (const other of [
    { origin: 'a\nb' },
    { size: -1 },
    { size: 1.5 },
    { size: 0 },
    { root: root.slice(1) },
  ]) {
    assert.throws(
      () => formatCheckpoint({ origin: 'a', size: 12, root, ...other }),
      isError('bad_checkpoint'),
    )
  }
})
