// `auricle certificate`: certificates of destruction as the person at the keyboard may read them, and whether one holds.
import { readFile } from 'node:fs/promises'
import {
  certificateJson,
  certificateReport,
  exitCodeOf,
  KeySetError,
  PolicyError,
  verifyCertificate,
} from '@auricle/audit/verifier'
import {
  type CertificateDetail,
  CertificateQuery,
  type CertificateView,
  RecordingId,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  type CertificateParts,
  listCertificates,
  type RequestFacts,
  showCertificate,
  showCertificateKeys,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { fileFailure } from '../file-failure.ts'
import { formatBytes, formatTime } from '../format.ts'
import { writeNewFile } from '../new-file.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import type { Column } from '../table.ts'
import { filterRules } from './log.ts'

function readingParts(operator: Operator): CertificateParts {
  const { signer, ...parts } = operator
  return { ...parts, keys: { signer }, decide: can }
}

export async function listDestroyed(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const query = parseOptions(CertificateQuery, filter, filterRules)
  const page = await plainly(listCertificates(readingParts(operator), person, query, operator))
  if (output.json) return output.value(page, '')
  output.rows(page.certificates, columns, 'Nothing was destroyed')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

export async function showDestroyed(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  recording: string,
): Promise<void> {
  const shown = await find(operator, person, recording)
  output.value(shown, sentencesOf(shown).join('\n'))
}

/** Writes the signed text to a file that did not exist. */
export async function exportCertificate(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { recording, out }: { readonly recording: string; readonly out: string },
): Promise<void> {
  const { jws, id } = await find(operator, person, recording)
  if (jws === null) throw new UsageError('It is not signed yet. Try again in a minute.')
  const bytes = await writeNewFile(out, [Buffer.from(`${jws}\n`)], operator)
  output.value(
    { file: out, bytes, certificate: id },
    `Wrote ${out}, ${formatBytes(bytes)}\n` +
      'Check it anywhere: node auricle-verify.mjs --certificate FILE --jwks FILE --policy FILE',
  )
}

/** The keys that certificates are checked with. */
export async function writeCertificateKeys(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  out: string | undefined,
): Promise<void> {
  const keys = await plainly(showCertificateKeys(readingParts(operator), person, operator))
  const text = JSON.stringify(keys, null, 2)
  if (out === undefined) {
    output.value(keys, text)
    return
  }
  await writeNewFile(out, [Buffer.from(`${text}\n`)], operator)
  output.value(
    { file: out, ...keys },
    `Wrote ${out}: keep it where the vault's administrators cannot change it`,
  )
}

/** Without the vault. Returns the exit code. */
export async function checkCertificate(
  output: Output,
  {
    certificate,
    jwks,
    policy,
  }: { readonly certificate: string; readonly jwks: string; readonly policy: string },
): Promise<number> {
  const [bytes, keys, trusted] = [await read(certificate), await read(jwks), await read(policy)]
  const report = verified(bytes, { jwks: keys.toString(), policy: trusted.toString() })
  output.value(certificateJson(report), certificateReport(report).trimEnd())
  return exitCodeOf(report.verdict)
}

function verified(bytes: Uint8Array, trusted: Parameters<typeof verifyCertificate>[1]) {
  try {
    return verifyCertificate(bytes, trusted)
  } catch (error) {
    if (error instanceof PolicyError)
      throw new UsageError(`The policy cannot be used: ${error.message}`, { cause: error })
    if (error instanceof KeySetError)
      throw new UsageError(`The keys cannot be used: ${error.message}`, { cause: error })
    throw error
  }
}

async function find(operator: Operator, person: RequestFacts, text: string): Promise<CertificateDetail> {
  const id = RecordingId.safeParse(text)
  if (!id.success) throw new UsageError(`"${text}" is not a recording's id`)
  return plainly(showCertificate(readingParts(operator), person, id.data, operator))
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw fileFailure(error, file)
  }
}

const columns: readonly Column<CertificateView>[] = [
  { title: 'destroyed', cell: ({ destroyedAt }) => formatTime(new Date(destroyedAt)) },
  { title: 'recording', cell: ({ recording }) => recording },
  { title: 'disposition', cell: ({ disposition }) => disposition },
  { title: 'last copy', cell: ({ lastCopyAt }) => formatTime(new Date(lastCopyAt)) },
  { title: 'state', cell: ({ state }) => state },
  { title: 'certificate', cell: ({ id }) => id },
]

function sentencesOf({ id, state, issuedAt, claims }: CertificateDetail): string[] {
  const bytes = claims.objects.reduce((sum, object) => sum + object.bytes, 0)
  return [
    `Certificate:  ${id}, ${state === 'issued' ? `signed ${issuedAt}` : 'not signed yet'}`,
    `Recording:    ${claims.recording}, ${claims.kind}, received ${claims.receivedAt}`,
    `Destroyed:    ${claims.destroyedAt}, ${claims.objects.length} objects, ${formatBytes(bytes)}`,
    `Rule:         ${claims.rule.id}, version ${claims.rule.version}, kept until ${claims.keptUntil}`,
    `Disposition:  ${claims.disposition}, proposed by ${claims.proposedBy ?? 'the vault'}`,
    ...claims.approvers.map(
      ({ stage, id: person, at }) => `Approved:     ${person} at ${at}, stage ${stage}`,
    ),
    ...claims.copies.map(({ where, until }) => `Copies:       ${where}, until ${until}`),
    `No copy from: ${claims.lastCopyAt}`,
  ]
}
