// Holds cosignatures to the bytes of C2SP tlog-cosignature, and the time in them to what was signed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newNoteSigner, newWitness, signedNote } from '../../../test/note-signer.ts'
import { concat, equalBytes, fromUtf8 } from './bytes.ts'
import { cosignaturePayload, cosignedMessage, splitCosignature } from './cosignature.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { parseNote, signatureLine, verifyNote } from './note.ts'
import { isSignedBy, verifyCosignature } from './signature.ts'
import { formatVerifierKey, parseVerifierKey, verifierKey } from './verifier-key.ts'

const isError = (code: AuditErrorCode) => (error: unknown) =>
  error instanceof AuditError && error.code === code

/** The example of the specification: a log's signature and a witness's cosignature. */
const published = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`

test('the published example: 4 bytes of id, 8 of time, 64 of signature', () => {
  const { text, signatures } = parseNote(published)
  const [, cosignature] = signatures
  assert.ok(cosignature)
  assert.equal(cosignature.keyId, '8d66cf3f')
  assert.equal(cosignature.payload.length, 72)
  const { timeSeconds, signature } = splitCosignature(cosignature.payload) ?? assert.fail()
  assert.equal(timeSeconds, 1_679_315_147)
  assert.equal(signature.length, 64)
  assert.deepEqual(cosignaturePayload(timeSeconds, signature), cosignature.payload)
  assert.equal(
    fromUtf8(cosignedMessage(timeSeconds, text)),
    'cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
  )
})

test('a witness signs a checkpoint beside its log, and says when', async () => {
  const log = newNoteSigner('auricle.test/anchor', 'ecdsa-p256')
  const witness = newWitness('witness.test/one', 1_800_000_123)
  const text = 'auricle.test/anchor\n5\nabc\n'
  const { note, by } = await verifyNote(signedNote(text, log, witness), [log.key, witness.key])
  assert.deepEqual(by, [log.key, witness.key])
  const payload = note.signatures[1]?.payload ?? assert.fail()
  assert.deepEqual(await verifyCosignature(witness.key, text, payload), { timeSeconds: 1_800_000_123 })
  const line = signatureLine(witness.key, payload)
  assert.equal(Buffer.from(line.split(' ')[2] ?? '', 'base64').length, 76)
  assert.deepEqual(parseVerifierKey(formatVerifierKey(witness.key)), witness.key)
})

test('a cosignature holds for its time, its text, its key and its kind alone', async () => {
  const witness = newWitness('witness.test/one', 1_800_000_000)
  const text = 'auricle.test/anchor\n5\nabc\n'
  const payload = concat(witness.payload(text))
  const plain = verifierKey(witness.key.name, 'ed25519', witness.key.publicKey)
  assert.notEqual(plain.keyId, witness.key.keyId)
  const signature = payload.subarray(8)
  for (const [name, key, ofText, other] of [
    ['another text', witness.key, 'auricle.test/anchor\n6\nabc\n', payload],
    ['another witness', newWitness('witness.test/one').key, text, payload],
    ['another time', witness.key, text, cosignaturePayload(1_800_000_001, signature)],
    ['no time', witness.key, text, signature],
    ['longer', witness.key, text, concat(payload, Uint8Array.of(0))],
    ['empty', witness.key, text, new Uint8Array(0)],
    ['a time beyond 2^53', witness.key, text, concat(new Uint8Array(8).fill(0xff), signature)],
    ['key of a log', plain, text, payload],
    ['key of a log, over the message', plain, fromUtf8(cosignedMessage(1_800_000_000, text)), payload],
  ] as const) {
    await assert.rejects(verifyCosignature(key, ofText, other), isError('bad_signature'), name)
  }
  // The message with its two lines is no text of a checkpoint, so a log's signature of it would be refused there.
  assert.ok(await isSignedBy(plain, fromUtf8(cosignedMessage(1_800_000_000, text)), signature))
})

test('times that a cosignature cannot have are refused', () => {
  for (const timeSeconds of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => cosignedMessage(timeSeconds, 'text\n'), isError('bad_note'))
    assert.throws(() => cosignaturePayload(timeSeconds, new Uint8Array(64)), isError('bad_note'))
  }
  assert.throws(() => cosignaturePayload(1, new Uint8Array(63)), isError('bad_note'))
})

test('time and signature come back as they were, and other bytes do not come back', () => {
  for (const length of [0, 8, 71, 73]) assert.equal(splitCosignature(new Uint8Array(length)), null)
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (timeSeconds, signature) => {
        const split = splitCosignature(cosignaturePayload(timeSeconds, signature))
        assert.ok(split?.timeSeconds === timeSeconds && equalBytes(split.signature, signature))
      },
    ),
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 71, maxLength: 73 }), bytes => {
      const split = splitCosignature(bytes)
      if (split !== null) assert.ok(equalBytes(cosignaturePayload(split.timeSeconds, split.signature), bytes))
    }),
  )
})

test('signatures of P-256 are taken in DER, in its one shortest form', async () => {
  const { key, payload } = newNoteSigner('auricle.test/anchor', 'ecdsa-p256')
  for (let round = 0; round < 64; round++) {
    const text = `text ${round}\n`
    const der = concat(payload(text))
    assert.ok(await isSignedBy(key, text, der))
    const [, length = 0, , rLength = 0] = der
    const r = der.subarray(4, 4 + rLength)
    const s = der.subarray(6 + rLength)
    const longer = Uint8Array.of(0x30, length + 1, 0x02, rLength + 1, 0, ...r, 0x02, s.length, ...s)
    const shorter = Uint8Array.of(0x30, length - 1, 0x02, rLength - 1, ...r.subarray(1), 0x02, s.length, ...s)
    for (const other of [
      longer,
      shorter,
      Uint8Array.of(0x30, length + 1, ...der.subarray(2), 0),
      Uint8Array.of(0x30, 0x81, length, ...der.subarray(2)),
      concat(der, Uint8Array.of(0)),
      der.with(0, 0x31),
      der.with(1, length - 1),
      der.with(2, 0x03),
      der.with(3, 0),
      der.with(3, 0x80),
      Uint8Array.of(0x30, 6, 0x02, 1, 0x80, 0x02, 1, 1),
      Uint8Array.of(0x30, 6, 0x02, 1, 0, 0x02, 1, 0),
      Uint8Array.of(0x30, 0),
      concat(r.subarray(-32), s.subarray(-32)),
    ]) {
      assert.ok(!(await isSignedBy(key, text, other)))
    }
  }
})
