// Holds the two verifiers of certificates against each other, and both to what a certificate is; and a library that knows
// nothing but JWS to the signature.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readCertificate } from '@auricle/audit'
import {
  certificateJson,
  exitCodeOf,
  KeySetError,
  PolicyError,
  verifyCertificate,
} from '@auricle/audit/verifier'
import { verifyByLibrary } from '../jws-library.ts'
import { type CertificateShape, makeCertificate } from './certificate-fixture.ts'
import { alteredClaims, type CertificateCase, otherCases, placesOf } from './certificate-mutations.ts'
import { randomFrom } from './random.ts'

const shapes: readonly CertificateShape[] = [
  { algorithm: 'EdDSA', witnesses: 2 },
  { algorithm: 'ES256', witnesses: 1, leaves: 1 },
  { algorithm: 'EdDSA', namesLogKey: false, leaves: 256 },
  { algorithm: 'ES256', leaves: 65 },
]
/** Of each claim's alterations, beside the one that is made in any case, in each shape. */
const share = 0.1
const pythonScript = join(dirname(fileURLToPath(import.meta.url)), 'auricle_verify.py')
const nodeScript = join(
  dirname(fileURLToPath(import.meta.url)),
  '../../packages/audit/offline/auricle-verify.mjs',
)
const folder = mkdtempSync(join(tmpdir(), 'auricle-certificate-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  readonly exit: number
  readonly report: ReturnType<typeof certificateJson> | null
}

function byNode({ text, jwks, policy }: CertificateCase): Outcome {
  try {
    const report = verifyCertificate(text, { jwks, policy })
    return { exit: exitCodeOf(report.verdict), report: certificateJson(report) }
  } catch (error) {
    if (error instanceof PolicyError || error instanceof KeySetError) return { exit: 3, report: null }
    throw error
  }
}

function byPython(cases: readonly CertificateCase[]): readonly Outcome[] {
  const place = mkdtempSync(join(folder, 'batch-'))
  const write = (name: string, content: string | Buffer) => {
    writeFileSync(join(place, name), content)
    return join(place, name)
  }
  const jobs = cases.map(({ text, jwks, policy }, index) => ({
    certificate: write(`${index}.jws`, text),
    jwks: write(`${index}.jwks`, jwks),
    policy: write(`${index}.policy`, policy),
  }))
  const list = write('list', jobs.map(job => `${JSON.stringify(job)}\n`).join(''))
  const { status, stdout, stderr } = spawnSync('python3', [pythonScript, '--batch', list], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  assert.equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

function judge(cases: readonly CertificateCase[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const outcomes = byPython(cases)
  for (const [index, one] of cases.entries()) {
    const outcome = byNode(one)
    assert.deepEqual(outcomes[index], outcome, one.name)
    const verdict = outcome.report?.verdict ?? 'untried'
    if (one.expected === 'bad') assert.notEqual(verdict, 'ok', one.name)
    else if (one.expected !== 'any') assert.equal(verdict, one.expected, one.name)
    for (const { code } of outcome.report?.findings ?? []) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  return counts
}

describe('an honest certificate', () => {
  for (const shape of shapes) {
    it(`holds, to a library for JWS too: ${JSON.stringify(shape)}`, async () => {
      const made = Array.from({ length: 12 }, (_, seed) => makeCertificate(seed, shape))
      judge(
        made.map(({ jws, jwks, policy }) => ({
          name: jws,
          text: Buffer.from(jws),
          jwks,
          policy,
          expected: 'ok',
        })),
      )
      for (const { jws, jwks, claims } of made) {
        const keys = JSON.parse(jwks)
        keys.keys = keys.keys.filter((key: { kty: string }) => key.kty !== 'RSA')
        const { payload } = await verifyByLibrary(jws, keys)
        assert.deepEqual(payload, claims)
        assert.deepEqual(readCertificate(jws).claims, claims)
      }
    })
  }
})

describe('a certificate that was altered', () => {
  const seen = new Map<string, number>()
  for (const [index, shape] of shapes.entries()) {
    it(`in each of its claims: ${JSON.stringify(shape)}`, async t => {
      const made = makeCertificate(100 + index, shape)
      const cases = alteredClaims(made, randomFrom(index), share)
      for (const { path } of placesOf(made.claims))
        assert.ok(
          cases.some(({ name }) => name.startsWith(`${path.join('.')}:`)),
          path.join('.'),
        )
      for (const [code, count] of judge(cases)) seen.set(code, (seen.get(code) ?? 0) + count)
      t.diagnostic(`${cases.length} alterations of ${placesOf(made.claims).length} places`)
    })

    it(`as a text, by its keys, by its log: ${JSON.stringify(shape)}`, t => {
      const [made, other] = [makeCertificate(200 + index, shape), makeCertificate(300 + index, shape)]
      const cases = otherCases(made, other, randomFrom(index))
      for (const [code, count] of judge(cases)) seen.set(code, (seen.get(code) ?? 0) + count)
      t.diagnostic(`${cases.length} cases`)
    })
  }

  it('every rule of the page was met', () => {
    const page = readFileSync(
      join(dirname(fileURLToPath(import.meta.url)), '../../docs/certificate.md'),
      'utf8',
    )
    const codes = Array.from(page.matchAll(/ \| `([a-z_]+)` \|(?: unsigned)? \|$/gm), ([, code = '']) => code)
    assert.ok(codes.length > 15)
    assert.deepEqual(
      [...new Set(codes)].filter(code => !seen.has(code)),
      [],
    )
    assert.deepEqual(
      [...seen.keys()].filter(code => !codes.includes(code)),
      [],
    )
  })
})

describe('the commands', () => {
  const made = makeCertificate(1, { algorithm: 'EdDSA', witnesses: 1 })
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const good = file('good', `${made.jws}\n`)
  const jwks = file('jwks', made.jwks)
  const policy = file('policy', made.policy)
  const bad = file('bad', made.jws.replace('.', '.A'))
  const none = file('none', 'nonsense')
  const run = ([program, script]: readonly [string, string], ...args: readonly string[]) =>
    spawnSync(program, [script, ...args], { encoding: 'utf8' })
  const programs = [
    [process.execPath, nodeScript],
    ['python3', pythonScript],
  ] as const
  const endings: readonly (readonly [number, ...string[]])[] = [
    [0, '--certificate', good, '--jwks', jwks, '--policy', policy],
    [0, '--policy', policy, '--certificate', good, '--jwks', jwks],
    [1, '--certificate', bad, '--jwks', jwks, '--policy', policy],
    [2, '--certificate', good, '--jwks', file('empty', '{"keys":[]}'), '--policy', policy],
    [3, '--certificate', good, '--jwks', none, '--policy', policy],
    [3, '--certificate', good, '--jwks', jwks, '--policy', none],
    [3, '--certificate', good, '--jwks', jwks],
    [3, '--certificate', good, '--policy', policy],
    [3, '--certificate'],
    [3, '--certificate', good, '--certificate', good, '--jwks', jwks, '--policy', policy],
    [3, '--certificate', join(folder, 'absent'), '--jwks', jwks, '--policy', policy],
    [3, '--certificate', good, '--jwks', jwks, '--policy', policy, '--unknown'],
  ]
  for (const [exit, ...args] of endings) {
    it(`end with ${exit}: ${args.map(word => word.replace(`${folder}/`, '')).join(' ')}`, () => {
      const [node, python] = programs.map(program => run(program, ...args, '--json'))
      assert.equal(node?.status, exit, node?.stderr)
      assert.equal(python?.status, exit, python?.stderr)
      if (exit === 3) {
        assert.equal(node.stdout, '')
        assert.notEqual(node.stderr, '')
      } else assert.deepEqual(JSON.parse(node.stdout), JSON.parse(python.stdout))
    })
  }

  it('the one for people says what was destroyed, by whom, and who may still hold a copy', () => {
    const { stdout } = run(programs[0], '--certificate', good, '--jwks', jwks, '--policy', policy)
    assert.match(stdout, /^OK: the recording was destroyed as the certificate says\.\n/)
    assert.match(stdout, /\nRecording: rec_\w+ \((voicemail|recording)\), received \d{4}/)
    assert.match(stdout, /\nRule: rul_\w+, version \d; disposition dsp_\w+\n/)
    assert.match(stdout, /\nCopies that there may be: /)
    assert.match(stdout, /\nNobody holds a copy from \d{4}-/)
    assert.match(stdout, / {2}signed by vault\.example\/anchor\+[0-9a-f]{8}\n/)
    const altered = run(programs[0], '--certificate', bad, '--jwks', jwks, '--policy', policy)
    assert.match(
      altered.stdout,
      /^TAMPERED: .*\n {2}It is not written as certificates are\. \(bad_certificate\)\n$/,
    )
  })
})
