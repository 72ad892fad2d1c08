// `auricle audit export`, `verify` and `policy`: a part of the log as evidence, and whether evidence holds.
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import {
  exitCodeOf,
  PolicyError,
  type Report,
  reportJson,
  reportText,
  verifyBundle,
} from '@auricle/audit/verifier'
import type { TenantRow } from '@auricle/catalog'
import { EvidenceSelection, PatientId, RecordingId, UserId } from '@auricle/contract'
import { exportAtConsole, isError, logPolicy } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { fileFailure } from '../file-failure.ts'
import { formatBytes } from '../format.ts'
import { writeNewFile } from '../new-file.ts'
import { findTenant, findUser, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { startProgress } from '../progress.ts'

export interface SelectionOptions {
  readonly tenant?: string | undefined
  /** Reference or name. */
  readonly patient?: string | undefined
  /** Login or id. */
  readonly user?: string | undefined
  readonly recording?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** Writes a bundle to a file that did not exist; packed where its name ends in `.gz`. */
export async function exportLog(
  operator: Operator,
  output: Output,
  {
    out,
    private: showsPrivate,
    ...asked
  }: SelectionOptions & {
    readonly out: string
    readonly private: boolean
  },
): Promise<void> {
  const tenant = await findTenant(operator, asked.tenant)
  const selection = await selectionOf(operator, tenant, asked)
  using progress = startProgress('Exporting', 'events')
  const lines = await published(
    exportAtConsole(
      evidenceParts(operator),
      tenant.id,
      {
        selection,
        showsPrivate,
        onProgress: (items, total) => progress.update({ items, total }),
      },
      operator,
    ),
  )
  const isPacked = out.endsWith('.gz')
  const text = Readable.from(lines, { objectMode: false })
  const pieces: AsyncIterable<Uint8Array> = isPacked ? text.compose(createGzip()) : text
  const bytes = await published(writeNewFile(out, pieces, operator))
  progress[Symbol.dispose]()
  output.value(
    { file: out, bytes, tenant: tenant.id, selection, private: showsPrivate },
    `Wrote ${out}, ${formatBytes(bytes)}${showsPrivate ? ': it names people, guard it' : ''}\n` +
      'Check it anywhere: node auricle-verify.mjs FILE --policy POLICY',
  )
}

/** The keys by which evidence is checked. */
export async function writePolicy(
  operator: Operator,
  output: Output,
  out: string | undefined,
): Promise<void> {
  const policy = await published(logPolicy(evidenceParts(operator), operator))
  if (out === undefined) {
    output.value({ policy }, policy.trimEnd())
    return
  }
  await writeNewFile(out, [Buffer.from(policy)], operator)
  output.value(
    { file: out, policy },
    `Wrote ${out}: keep it where the vault's administrators cannot change it`,
  )
}

export interface VerifyOptions {
  readonly bundle: string | undefined
  readonly policy: string | undefined
  readonly tenant: string | undefined
  readonly maxAgeHours: number
  readonly trustBundledPolicy: boolean
}

/** A bundle, or with none the log of each tenant as it is now. Returns the exit code. */
export async function verifyLog(
  operator: () => Promise<Operator>,
  output: Output,
  { bundle, policy: policyFile, tenant: slug, maxAgeHours, trustBundledPolicy }: VerifyOptions,
): Promise<number> {
  const policy = policyFile === undefined ? null : await readText(policyFile)
  const options = { policy, trustBundledPolicy, at: new Date(), maxAgeHours }
  if (bundle !== undefined) {
    const pieces = createReadStream(bundle)
    const report = await checked(verifyBundle(pieces, options), policyFile).catch((error: unknown) => {
      throw fileFailure(error, bundle)
    })
    return show(output, report)
  }
  const opened = await operator()
  const tenants =
    slug === undefined ? await opened.catalog.listTenants(opened) : [await findTenant(opened, slug)]
  let worst = 0
  for (const tenant of tenants) {
    using progress = startProgress(`Verifying ${tenant.slug}`, 'events')
    const wish = {
      selection: {},
      showsPrivate: true,
      onProgress: (items: number, total: number) => progress.update({ items, total }),
    }
    const lines = await published(exportAtConsole(evidenceParts(opened), tenant.id, wish, opened))
    // Without a policy of its own it is asked whether the log agrees with itself, which its own keys can say.
    const own = policy === null ? { ...options, trustBundledPolicy: true } : options
    const pieces = Readable.from(lines, { objectMode: false })
    const report = await checked(verifyBundle(pieces, own), policyFile)
    progress[Symbol.dispose]()
    worst = Math.max(worst, show(output, report))
  }
  return worst
}

function show(output: Output, report: Report): number {
  output.value(reportJson(report), reportText(report).trimEnd())
  return exitCodeOf(report.verdict)
}

async function selectionOf(
  operator: Operator,
  tenant: TenantRow,
  { patient, user, recording, from, to }: SelectionOptions,
): Promise<EvidenceSelection> {
  const given = {
    ...(patient === undefined ? {} : { patient: await patientOf(operator, tenant, patient) }),
    ...(user === undefined ? {} : { user: await userOf(operator, tenant, user) }),
    ...(recording === undefined ? {} : { recording }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
  if (recording !== undefined && !RecordingId.safeParse(recording).success)
    throw new UsageError(`"${recording}" is not a recording's id; \`auricle ls\` shows them`)
  const selection = EvidenceSelection.safeParse(given)
  if (!selection.success)
    throw new UsageError('--from and --to are times in UTC, such as 2026-11-22T00:00:00Z, from before to')
  return selection.data
}

async function patientOf(operator: Operator, tenant: TenantRow, text: string): Promise<string> {
  if (PatientId.safeParse(text).success) return text
  const { columns } = await operator.secrets.get(tenant.id, operator)
  const found = await operator.catalog.findPatient(tenant.id, text, columns, operator)
  if (found === null) throw new UsageError(`Tenant ${tenant.slug} has no patient with this reference`)
  return found
}

async function userOf(operator: Operator, tenant: TenantRow, text: string): Promise<string> {
  return UserId.safeParse(text).success ? text : (await findUser(operator, tenant, text)).id
}

function evidenceParts(operator: Operator) {
  const { catalog, log, secrets, config } = operator
  return { catalog, log, secrets, keys: { signer: operator.signer }, witnesses: config.witnesses }
}

/** A sentence for whoever asks before anything is published. */
async function published<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const isEarly = isError(error, 'VaultError', 'conflict') && error instanceof Error
    throw isEarly ? new UsageError(error.message, { cause: error }) : error
  }
}

async function checked(work: Promise<Report>, policyFile: string | undefined): Promise<Report> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new UsageError(`${policyFile ?? 'The policy'} is no policy: ${error.message}`, { cause: error })
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw fileFailure(error, file)
  }
}
