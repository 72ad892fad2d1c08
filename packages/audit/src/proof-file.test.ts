// Holds proof files and what passes between logs and witnesses to C2SP's formats, and proofs to what they prove.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newNoteSigner, newWitness, signedNote } from '../../../test/note-signer.ts'
import { type Bytes, concat, toBase64, utf8 } from './bytes.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { AuditError, type AuditErrorCode } from './error.ts'
import { leafHash } from './leaf.ts'
import { createTree, nodeHash } from './merkle.ts'
import { type Policy, parsePolicy } from './policy.ts'
import { formatProofFile, type ProofFile, parseProofFile, verifyProofFile } from './proof-file.ts'
import { formatVerifierKey } from './verifier-key.ts'
import {
  type AddCheckpoint,
  formatAddCheckpoint,
  formatTreeSize,
  monitoringPath,
  parseAddCheckpoint,
  parseTreeSize,
} from './witness-request.ts'

const isError = (code: AuditErrorCode) => (error: unknown) =>
  error instanceof AuditError && error.code === code

const log = newNoteSigner('auricle.test/anchor')
const witness = newWitness('witness.test/one')
const leaves = ['one', 'two', 'three'].map(word => leafHash(utf8(word)))
const [one, two, three] = leaves as [Bytes, Bytes, Bytes]
const root = nodeHash(nodeHash(one, two), three)
const checkpoint = { origin: 'auricle.test/anchor', size: 3, root }
const note = signedNote(formatCheckpoint(checkpoint), log, witness)
const policy: Policy = parsePolicy(
  `log ${formatVerifierKey(log.key)}\nwitness W ${formatVerifierKey(witness.key)}\nquorum W\n`,
)
const file: ProofFile = { extra: null, index: 1, proof: [one, three], checkpoint: note }

test('a proof file is its lines, and proves its leaf under a signed root', async () => {
  const text = formatProofFile(file)
  assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 1\n${toBase64(one)}\n${toBase64(three)}\n\n${note}`)
  assert.deepEqual(parseProofFile(text), file)
  assert.deepEqual(await verifyProofFile(text, two, policy), { checkpoint, index: 1 })
  const withExtra = formatProofFile({ ...file, extra: utf8('extra') })
  assert.equal(withExtra, text.replace('index', 'extra ZXh0cmE=\nindex'))
  assert.deepEqual(await verifyProofFile(withExtra, two, policy), { checkpoint, index: 1 })
})

test('the proof of an only leaf has no hashes', async () => {
  const tree = createTree()
  tree.append(one)
  const only = signedNote(formatCheckpoint({ ...checkpoint, size: 1, root: tree.root() }), log, witness)
  const text = formatProofFile({ extra: null, index: 0, proof: [], checkpoint: only })
  assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 0\n\n${only}`)
  assert.equal((await verifyProofFile(text, one, policy)).index, 0)
})

test('a proof of another leaf, place or tree, or under too few signatures, is refused', async () => {
  const text = formatProofFile(file)
  await assert.rejects(verifyProofFile(text, one, policy), isError('bad_proof'))
  await assert.rejects(verifyProofFile(text, new Uint8Array(0), policy), isError('bad_proof'))
  for (const other of [
    { index: 0 },
    { index: 2 },
    { proof: [three, one] },
    { proof: [one] },
    { proof: [] },
  ]) {
    await assert.rejects(
      verifyProofFile(formatProofFile({ ...file, ...other }), two, policy),
      isError('bad_proof'),
    )
  }
  const alone = signedNote(formatCheckpoint(checkpoint), log)
  await assert.rejects(
    verifyProofFile(formatProofFile({ ...file, checkpoint: alone }), two, policy),
    isError('unsigned'),
  )
  const larger = note.replace('\n3\n', '\n4\n')
  await assert.rejects(
    verifyProofFile(formatProofFile({ ...file, checkpoint: larger }), two, policy),
    isError('bad_signature'),
  )
})

test('what is no proof file is refused', () => {
  const text = formatProofFile(file)
  const spelled: Readonly<Record<string, string>> = {
    empty: '',
    'another version': text.replace('@v1', '@v2'),
    'a line before': `\n${text}`,
    'no index': text.replace('index 1\n', ''),
    'leading zero': text.replace('index 1', 'index 01'),
    'negative index': text.replace('index 1', 'index -1'),
    'index beyond the log': text.replace('index 1', 'index 3'),
    'no space': text.replace('index 1', 'index1'),
    'two spaces': text.replace('index 1', 'index  1'),
    'extra after the index': text.replace('index 1\n', 'index 1\nextra AAAA\n'),
    'extra twice': text.replace('index', 'extra AAAA\nextra AAAA\nindex'),
    'empty extra': text.replace('index', 'extra \nindex'),
    'extra not in base64': text.replace('index', 'extra A\nindex'),
    'hash of 31 bytes': text.replace(toBase64(one), toBase64(one.slice(1))),
    'hash of 33 bytes': text.replace(toBase64(one), toBase64(concat(one, one.slice(0, 1)))),
    'hash without padding': text.replace('=\n', '\n'),
    'an empty line among the hashes': text.replace(toBase64(three), `\n${toBase64(three)}`),
    'no empty line': text.replace('\n\n', '\n'),
    'no checkpoint': text.slice(0, text.indexOf('\n\n') + 2),
    'unsigned checkpoint': text.slice(0, text.indexOf('\u2014')),
    'no checkpoint in the note': text.replace('\n3\n', '\n03\n'),
    'CR LF': text.replaceAll('\n', '\r\n'),
    'text below': `${text}more\n`,
    '64 hashes': formatProofFile({ ...file, proof: Array.from({ length: 63 }, () => one) }).replace(
      toBase64(one),
      `${toBase64(one)}\n${toBase64(one)}`,
    ),
  }
  for (const [name, other] of Object.entries(spelled)) {
    assert.notEqual(other, text, name)
    assert.throws(() => parseProofFile(other), isError('bad_proof'), name)
  }
  for (const other of [
    { extra: new Uint8Array(0) },
    { index: -1 },
    { proof: [one.slice(1)] },
    { checkpoint: 'text\n' },
  ]) {
    assert.throws(() => formatProofFile({ ...file, ...other }), isError('bad_proof'))
  }
})

test('a request to a witness is its lines', () => {
  const request: AddCheckpoint = { oldSize: 2, proof: [nodeHash(one, two), three], checkpoint: note }
  const text = formatAddCheckpoint(request)
  assert.equal(text, `old 2\n${toBase64(nodeHash(one, two))}\n${toBase64(three)}\n\n${note}`)
  assert.deepEqual(parseAddCheckpoint(text), request)
  assert.equal(formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint: note }), `old 0\n\n${note}`)
  const published = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`
  assert.equal(parseAddCheckpoint(published).oldSize, 20_852_014)
  assert.equal(formatAddCheckpoint(parseAddCheckpoint(published)), published)
})

test('what is no request to a witness is refused', () => {
  const text = formatAddCheckpoint({ oldSize: 2, proof: [one], checkpoint: note })
  const hash = `${toBase64(one)}\n`
  for (const [name, other] of Object.entries({
    empty: '',
    'no size': text.replace('old 2\n', ''),
    'leading zero': text.replace('old 2', 'old 02'),
    'no space': text.replace('old 2', 'old2'),
    'upper case': text.replace('old 2', 'Old 2'),
    'space at the end': text.replace('old 2', 'old 2 '),
    '64 hashes': text.replace(hash, hash.repeat(64)),
    'hash of 31 bytes': text.replace(toBase64(one), toBase64(one.slice(1))),
    'no empty line': text.replace('\n\n', '\n'),
    'two empty lines': text.replace('\n\n', '\n\n\n'),
    'no checkpoint': `old 2\n${hash}\n`,
    'unsigned checkpoint': text.slice(0, text.indexOf('\u2014')),
    'CR LF': text.replaceAll('\n', '\r\n'),
  })) {
    assert.throws(() => parseAddCheckpoint(other), isError('bad_request'), name)
  }
  assert.equal(parseAddCheckpoint(text.replace(hash, hash.repeat(63))).proof.length, 63)
  assert.throws(
    () => formatAddCheckpoint({ oldSize: -1, proof: [], checkpoint: note }),
    isError('bad_request'),
  )
})

test('the size that a witness answers with', () => {
  assert.equal(formatTreeSize(20), '20\n')
  fc.assert(fc.property(fc.maxSafeNat(), size => assert.equal(parseTreeSize(formatTreeSize(size)), size)))
  for (const text of ['', '\n', '20', '020\n', '20\n\n', ' 20\n', '20\r\n', '-1\n', '9007199254740992\n']) {
    assert.throws(() => parseTreeSize(text), isError('bad_request'), text)
  }
  assert.equal(
    monitoringPath('a'),
    'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb/checkpoint',
  )
})

test('whatever is read as a proof file or a request is written as it was', () => {
  const piece = fc.constantFrom(
    'c2sp.org/tlog-proof@v1',
    'extra ',
    'extra AAAA',
    'index 1',
    'index 0',
    'old 2',
    'old 0',
    '\n',
    '\n',
    '\n\n',
    toBase64(one),
    note,
    ' ',
    '\r',
  )
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map(parts => parts.join('')),
    fc.array(piece).map(parts => parts.join('\n')),
    fc.tuple(fc.nat(400), fc.string({ unit: 'binary', maxLength: 3 })).map(([place, other]) => {
      const text = formatProofFile(file)
      return text.slice(0, place) + other + text.slice(place + 1)
    }),
  )
  fc.assert(
    fc.property(hostile, text => {
      try {
        assert.equal(formatProofFile(parseProofFile(text)), text)
      } catch (error) {
        if (!isError('bad_proof')(error)) throw error
      }
      try {
        assert.equal(formatAddCheckpoint(parseAddCheckpoint(text)), text)
      } catch (error) {
        if (!isError('bad_request')(error)) throw error
      }
    }),
    { numRuns: 1000 },
  )
  const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => concat(bytes))
  const anyProof = fc.array(anyHash, { maxLength: 63 })
  fc.assert(
    fc.property(
      fc.option(fc.uint8Array({ minLength: 1 }).map(bytes => concat(bytes))),
      fc.nat(2),
      anyProof,
      (extra, index, proof) => {
        const whole = { extra, index, proof, checkpoint: note }
        assert.deepEqual(parseProofFile(formatProofFile(whole)), whole)
        const request = { oldSize: index, proof, checkpoint: note }
        assert.deepEqual(parseAddCheckpoint(formatAddCheckpoint(request)), request)
      },
    ),
  )
})
