// The demo of a first run: a tenant with people, mailboxes and connectors, and recordings that come in by the front
// door, signed as a PBX signs them.
import { newOpaqueToken } from '@auricle/identity'
import { createStandardDelivery } from '@auricle/pbx'
import { issueProgramToken } from '@auricle/vault'
import { idleTimeoutMsDefault, makeConnector, maxBytesDefault } from '../commands/connector.ts'
import { addMailbox } from '../commands/mailbox.ts'
import { addTenant, keepDaysDefault } from '../commands/tenant.ts'
import { type MadePerson, makePerson } from '../commands/user.ts'
import { findTenant, findUser, type Operator } from '../operator.ts'
import { createOutput } from '../output.ts'
import { readSample, type Sample, samples } from './samples.ts'

const slug = 'demo'
const hourMs = 60 * 60_000
const tokenDays = 7
const archiveWaitMs = 60_000
const archivePollMs = 100

/** What a newcomer needs to deliver and to listen; shown once. */
export interface Access {
  readonly people: readonly MadePerson[]
  readonly upload: { readonly url: string; readonly token: string }
  /** A bearer token of the clinician. */
  readonly token: string
  readonly recording: string | null
}

export interface DemoOptions {
  readonly urls: { readonly ingest: string; readonly api: string }
  readonly print: (text: string) => void
}

/** Null where there is a tenant already: then nothing is made. */
export async function makeDemo(operator: Operator, { urls, print }: DemoOptions): Promise<Access | null> {
  const { catalog, signal } = operator
  if ((await catalog.listTenants({ signal })).length > 0) return null
  print('First run: making a demo clinic with mailboxes, people and connectors')
  const silent = createOutput(false, { write: () => true } as unknown as NodeJS.WritableStream)
  await addTenant(operator, silent, { slug, name: 'Demo Clinic', keepDays: keepDaysDefault })
  const person = (login: string, name: string, role: string) =>
    makePerson(operator, { tenant: slug, login, name, roles: [role], password: null })
  const people = [
    await person('clinician', 'Demo Clinician', 'clinician'),
    await person('nurse', 'Demo Nurse', 'clinician'),
    await person('admin', 'Demo Administrator', 'administrator'),
    await person('compliance', 'Demo Compliance Officer', 'compliance_officer'),
  ]
  await addMailbox(operator, silent, {
    tenant: slug,
    address: '2001',
    name: 'Front desk',
    owners: ['clinician'],
  })
  await addMailbox(operator, silent, { tenant: slug, address: '2002', name: 'Nurse line', owners: ['nurse'] })
  const pbx = {
    tenant: slug,
    mailbox: '2001',
    maxBytes: maxBytesDefault,
    idleTimeoutMs: idleTimeoutMsDefault,
    allowedHosts: [],
  }
  const standard = await makeConnector(operator, { ...pbx, kind: 'standard', name: 'Demo PBX' })
  const upload = await makeConnector(operator, { ...pbx, kind: 'upload', name: 'Demo uploads' })

  print(`Delivering ${samples.length} sample recordings through the signed webhook`)
  for (const sample of samples)
    await deliver(standard.url.replace(/^.*(?=\/v1\/)/, urls.ingest), standard.secret, sample, signal)
  await waitUntilArchived(operator)
  return {
    people,
    upload: { url: upload.url, token: upload.secret },
    token: await clinicianToken(operator),
    recording: await newestRecording(operator),
  }
}

async function deliver(url: string, secret: string, sample: Sample, signal: AbortSignal): Promise<void> {
  const { file, kind, mailbox, from, fromName, contentType, hoursAgo } = sample
  const type = kind === 'voicemail' ? ('voicemail.received' as const) : ('recording.completed' as const)
  const startedAt = new Date(Date.now() - hoursAgo * hourMs).toISOString()
  const data = {
    id: `demo-${file}`,
    kind,
    mailbox,
    from,
    from_name: fromName,
    direction: 'inbound' as const,
    started_at: startedAt,
    content_type: contentType,
  }
  const metadata = { type, timestamp: new Date().toISOString(), data }
  const delivery = await createStandardDelivery({
    metadata,
    audio: await readSample(file),
    contentType,
    fileName: file,
    secret,
  })
  const { headers } = delivery
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body: ReadableStream.from(delivery.body),
    duplex: 'half',
    signal,
  })
  if (!answer.ok) throw new Error(`The demo delivery of ${file} was refused with ${answer.status}`)
  await answer.arrayBuffer()
}

/** Every delivery is archived, or in quarantine where one of them went wrong; gives up after a minute and says nothing. */
async function waitUntilArchived(operator: Operator): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const until = Date.now() + archiveWaitMs
  while (Date.now() < until) {
    const waiting = await operator.catalog.listIntakes(tenant.id, 'received', 1, operator)
    if (waiting.length === 0) return
    await new Promise(resolve => setTimeout(resolve, archivePollMs))
    operator.signal.throwIfAborted()
  }
}

async function clinicianToken(operator: Operator): Promise<string> {
  const tenant = await findTenant(operator, slug)
  const clinician = await findUser(operator, tenant, 'clinician')
  const scopes = ['recordings.read', 'recordings.play', 'recordings.mark'] as const
  const made = { lifetimeMs: tokenDays * 24 * hourMs, scopes, name: 'the curl lines of the demo' }
  const { token } = await issueProgramToken(
    { catalog: operator.catalog, newOpaqueToken },
    clinician,
    made,
    operator,
  )
  return token
}

/** Straight from the catalog's ids: nothing of the recording is read, so nothing is there to log. */
async function newestRecording(operator: Operator): Promise<string | null> {
  const tenant = await findTenant(operator, slug)
  const all = await operator.catalog.listAllRecordings(tenant.id, null, samples.length, operator)
  return all[0]?.id ?? null
}
