// What IHE BALP 1.1.4 asks of an AuditEvent, profile by profile, and what FHIR R4 asks that validators let pass.
//
// Each rule says one thing and has a name, so that a planted mistake can be found by the rule it breaks. They are
// taken from the profiles' StructureDefinitions: fixed codes, how often a slice occurs, what an element must hold.
// The file is long because it is a list.

export interface LooseCoding {
  system?: string
  code?: string
  display?: string
}
interface LooseReference {
  reference?: string
  type?: string
  identifier?: { system?: string; value?: string }
  display?: string
}
export interface LooseAgent {
  type?: { coding?: LooseCoding[] }
  who?: LooseReference
  requestor?: boolean
  network?: { address?: string; type?: string }
  media?: LooseCoding
  policy?: string[]
}
export interface LooseEntity {
  what?: LooseReference
  type?: LooseCoding
  role?: LooseCoding
  lifecycle?: LooseCoding
  name?: string
  query?: string
  detail?: { type?: string; valueString?: string }[]
}
/** An AuditEvent as it may come: anything may be missing. */
export interface LooseEvent {
  id?: string
  meta?: { profile?: string[] }
  modifierExtension?: object[]
  type?: LooseCoding
  subtype?: LooseCoding[]
  action?: string
  recorded?: string
  outcome?: string
  agent?: LooseAgent[]
  source?: { site?: string; observer?: LooseReference; type?: LooseCoding[] }
  entity?: LooseEntity[]
}

/** Whether a code is in a published code system, with that display. */
export type IsPublished = (coding: LooseCoding) => boolean

const base = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'
const dcm = 'http://dicom.nema.org/resources/ontology/DCM'
const interaction = 'http://hl7.org/fhir/restful-interaction'
const iso = 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle'
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
const custodian = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type'
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
const objectRole = 'http://terminology.hl7.org/CodeSystem/object-role'
const balpEntityType = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType'

interface Shape {
  readonly subtypes: readonly string[]
  readonly action: string
  readonly client: readonly [system: string, code: string]
  readonly server: readonly [system: string, code: string]
  readonly users: readonly string[]
}
const authors = ['AUT', 'INF', 'CST']
const written = { client: [dcm, '110153'], server: [dcm, '110152'], users: authors } as const
const shapes: Readonly<Record<string, Shape>> = {
  Create: { ...written, subtypes: ['create'], action: 'C' },
  Update: { ...written, subtypes: ['update', 'patch'], action: 'U' },
  Read: {
    subtypes: ['read', 'vread'],
    action: 'R',
    client: [dcm, '110152'],
    server: [dcm, '110153'],
    users: ['IRCP'],
  },
  Delete: {
    subtypes: ['delete'],
    action: 'D',
    client: [dcm, '110150'],
    server: [custodian, 'custodian'],
    users: authors,
  },
  Query: {
    subtypes: ['search', 'search-type', 'search-system'],
    action: 'E',
    client: [dcm, '110153'],
    server: [dcm, '110152'],
    users: ['IRCP'],
  },
}
export const profiles = [
  ...Object.keys(shapes).flatMap(family => [`${base}${family}`, `${base}Patient${family}`]),
  `${base}PrivacyDisclosure.Source`,
]

/** What the rules ask of a resource, found once. */
interface View {
  readonly event: LooseEvent
  readonly family: string | null
  readonly shape: Shape | null
  readonly isPatient: boolean
  readonly isDisclosure: boolean
  agents(system: string, codes: readonly string[]): LooseAgent[]
  entities(system: string, code: string): LooseEntity[]
  readonly client: LooseAgent | undefined
  readonly server: LooseAgent | undefined
  readonly user: LooseAgent | undefined
  readonly data: LooseEntity | undefined
  readonly patient: LooseEntity | undefined
}

function viewOf(event: LooseEvent): View {
  const id = event.meta?.profile?.[0]?.slice(base.length) ?? null
  const family = id?.replace(/^Patient/, '') ?? null
  const shape = family === null ? null : (shapes[family] ?? null)
  const is = (coding: LooseCoding | undefined, system: string, codes: readonly string[]) =>
    coding?.system === system && codes.includes(coding.code ?? '')
  const agents = (system: string, codes: readonly string[]) =>
    (event.agent ?? []).filter(({ type }) => type?.coding?.some(coding => is(coding, system, codes)))
  const entities = (system: string, code: string) =>
    (event.entity ?? []).filter(({ type }) => is(type, system, [code]))
  const isDisclosure = family === 'PrivacyDisclosure.Source'
  return {
    event,
    family,
    shape,
    isPatient: id?.startsWith('Patient') === true || isDisclosure,
    isDisclosure,
    agents,
    entities,
    client: shape === null ? undefined : agents(shape.client[0], [shape.client[1]])[0],
    server: shape === null ? undefined : agents(shape.server[0], [shape.server[1]])[0],
    user: shape === null ? undefined : agents(participation, shape.users)[0],
    data: entities(entityType, '2')[0],
    patient: entities(entityType, '1')[0],
  }
}

interface Rule {
  readonly name: string
  /** Of which resources it speaks. */
  readonly of: (view: View) => boolean
  readonly holds: (view: View, isPublished: IsPublished) => boolean
}

const always = () => true
const restful = ({ shape }: View) => shape !== null
const withData = ({ shape, family }: View) => shape !== null && family !== 'Query'
const query = ({ family }: View) => family === 'Query'
const ofPatient = ({ isPatient }: View) => isPatient
const disclosure = ({ isDisclosure }: View) => isDisclosure
const isNamed = (who: LooseReference | undefined) =>
  who !== undefined && Boolean(who.reference ?? who.identifier?.value ?? who.display)
const isReached = (network: LooseAgent['network']) => Boolean(network?.address && network.type)
const sources = ({ agents }: View) => agents(dcm, ['110153'])
const recipients = ({ agents }: View) => agents(dcm, ['110152'])
const transactions = ({ entities }: View) => entities(balpEntityType, 'XrequestId')

export const rules: readonly Rule[] = [
  // What FHIR R4 says, whether or not a profile is claimed.
  { name: 'id-form', of: always, holds: ({ event }) => /^[A-Za-z0-9.-]{1,64}$/.test(event.id ?? '') },
  { name: 'action-code', of: always, holds: ({ event }) => /^[CRUDE]$/.test(event.action ?? '') },
  { name: 'outcome-code', of: always, holds: ({ event }) => /^(0|4|8|12)$/.test(event.outcome ?? '') },
  {
    name: 'recorded-instant',
    of: always,
    holds: ({ event }) =>
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(event.recorded ?? '') &&
      !Number.isNaN(Date.parse(event.recorded ?? '')),
  },
  {
    name: 'network-code',
    of: always,
    holds: ({ event }) =>
      (event.agent ?? []).every(({ network }) => network === undefined || /^[1-5]$/.test(network.type ?? '')),
  },
  {
    name: 'one-requestor',
    of: always,
    holds: ({ event }) =>
      (event.agent ?? []).every(({ requestor }) => requestor !== undefined) &&
      (event.agent ?? []).filter(({ requestor }) => requestor).length === 1,
  },
  {
    name: 'sev-1',
    of: always,
    holds: ({ event }) => (event.entity ?? []).every(({ name, query }) => !(name && query)),
  },
  {
    name: 'entity-systems',
    of: always,
    holds: ({ event }) =>
      (event.entity ?? []).every(
        ({ type, role, lifecycle }) =>
          [entityType, balpEntityType].includes(type?.system ?? entityType) &&
          (role === undefined || role.system === objectRole) &&
          (lifecycle === undefined ||
            lifecycle.system === 'http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle'),
      ),
  },
  {
    name: 'published-codes',
    of: always,
    holds: ({ event }, isPublished) => codingsOf(event).every(isPublished),
  },
  {
    name: 'plain-strings',
    of: always,
    holds: ({ event }) =>
      stringsOf(event).every(text => /\S/.test(text) && !/(?![\t\n\r])\p{Cc}/u.test(text)),
  },
  { name: 'no-empty-list', of: always, holds: ({ event }) => listsOf(event).every(list => list.length > 0) },
  {
    name: 'no-whole-token',
    of: always,
    holds: ({ event }) => !/"(?:Bearer |aur_|eyJ)/.test(JSON.stringify(event)),
  },
  {
    name: 'known-profile',
    of: ({ event }) => event.meta !== undefined,
    holds: ({ event }) =>
      event.meta?.profile?.length === 1 && event.meta.profile.every(url => profiles.includes(url)),
  },
  // A patient that is known is said where the profile has room for one.
  {
    name: 'patient-profile',
    of: restful,
    holds: ({ event, isPatient }) =>
      isPatient || !(event.entity ?? []).some(({ role }) => role?.system === objectRole && role.code === '1'),
  },

  // Read, Create, Update, Delete, Query, and each of them of a patient.
  { name: 'rest-type', of: restful, holds: ({ event }) => event.type?.code === 'rest' },
  {
    name: 'rest-subtype',
    of: restful,
    holds: ({ event, shape }) =>
      (event.subtype ?? []).filter(
        ({ system, code }) => system === interaction && shape?.subtypes.includes(code ?? ''),
      ).length === 1,
  },
  { name: 'rest-action', of: restful, holds: ({ event, shape }) => event.action === shape?.action },
  { name: 'rest-success', of: restful, holds: ({ event }) => event.outcome === '0' },
  {
    name: 'client-once',
    of: restful,
    holds: ({ agents, shape }) => shape !== null && agents(shape.client[0], [shape.client[1]]).length === 1,
  },
  {
    name: 'server-once',
    of: restful,
    holds: ({ agents, shape }) => shape !== null && agents(shape.server[0], [shape.server[1]]).length === 1,
  },
  { name: 'client-who', of: restful, holds: ({ client }) => isNamed(client?.who) },
  { name: 'server-who', of: restful, holds: ({ server }) => isNamed(server?.who) },
  { name: 'client-network', of: restful, holds: ({ client }) => isReached(client?.network) },
  { name: 'server-network', of: restful, holds: ({ server }) => isReached(server?.network) },
  {
    name: 'no-media',
    of: restful,
    holds: ({ event }) => (event.agent ?? []).every(({ media }) => media === undefined),
  },
  {
    name: 'user-once',
    of: restful,
    holds: ({ agents, shape }) => shape !== null && agents(participation, shape.users).length <= 1,
  },
  {
    name: 'user-type',
    of: restful,
    holds: ({ event, shape }) =>
      (event.agent ?? []).every(({ type }) =>
        (type?.coding ?? []).every(
          ({ system, code }) => system !== participation || shape?.users.includes(code ?? ''),
        ),
      ),
  },
  { name: 'user-who', of: restful, holds: ({ user }) => user === undefined || isNamed(user.who) },
  { name: 'user-requestor', of: restful, holds: ({ user }) => user === undefined || user.requestor === true },
  { name: 'user-no-network', of: restful, holds: ({ user }) => user?.network === undefined },
  { name: 'data-once', of: withData, holds: ({ entities }) => entities(entityType, '2').length === 1 },
  {
    name: 'data-role',
    of: withData,
    holds: ({ data }) => data?.role?.system === objectRole && ['3', '4', '20'].includes(data.role.code ?? ''),
  },
  { name: 'data-what', of: withData, holds: ({ data }) => isNamed(data?.what) },
  { name: 'query-once', of: query, holds: ({ entities }) => entities(entityType, '2').length === 1 },
  { name: 'query-role', of: query, holds: ({ data }) => data?.role?.code === '24' },
  {
    name: 'query-raw',
    of: query,
    holds: ({ data }) =>
      /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(data?.query ?? '-'),
  },
  {
    name: 'query-bare',
    of: query,
    holds: ({ data }) =>
      data?.what === undefined && data?.lifecycle === undefined && data?.detail === undefined,
  },
  { name: 'patient-once', of: ofPatient, holds: ({ entities }) => entities(entityType, '1').length === 1 },
  {
    name: 'patient-role',
    of: ofPatient,
    holds: ({ patient }) => patient?.role?.system === objectRole && patient.role.code === '1',
  },
  {
    name: 'patient-what',
    of: ofPatient,
    holds: ({ patient }) =>
      patient?.what?.reference?.startsWith('Patient/') === true ||
      (patient?.what?.type === 'Patient' && Boolean(patient.what.identifier?.value)),
  },
  { name: 'transaction-once', of: restful, holds: view => transactions(view).length <= 1 },
  {
    name: 'transaction-value',
    of: restful,
    holds: view => transactions(view).every(({ what }) => Boolean(what?.identifier?.value)),
  },

  // PrivacyDisclosure.Source.
  {
    name: 'disclosure-type',
    of: disclosure,
    holds: ({ event }) => event.type?.system === dcm && event.type.code === '110106',
  },
  {
    name: 'disclosure-subtype',
    of: disclosure,
    holds: ({ event }) =>
      (event.subtype ?? []).filter(({ system, code }) => system === iso && code === 'disclose').length === 1,
  },
  { name: 'disclosure-action', of: disclosure, holds: ({ event }) => event.action === 'R' },
  { name: 'no-modifier', of: disclosure, holds: ({ event }) => event.modifierExtension === undefined },
  { name: 'source-once', of: disclosure, holds: view => sources(view).length === 1 },
  {
    name: 'source-observes',
    of: disclosure,
    holds: view => JSON.stringify(sources(view)[0]?.who) === JSON.stringify(view.event.source?.observer),
  },
  { name: 'source-network', of: disclosure, holds: view => isReached(sources(view)[0]?.network) },
  { name: 'recipient-once', of: disclosure, holds: view => recipients(view).length === 1 },
  { name: 'recipient-who', of: disclosure, holds: view => isNamed(recipients(view)[0]?.who) },
  { name: 'recipient-network', of: disclosure, holds: view => isReached(recipients(view)[0]?.network) },
  { name: 'disclosed-data', of: disclosure, holds: ({ entities }) => entities(entityType, '2').length >= 1 },
]

/** Names of the rules that a resource breaks. */
export function judge(event: LooseEvent, isPublished: IsPublished): string[] {
  const view = viewOf(event)
  return rules.filter(({ of, holds }) => of(view) && !holds(view, isPublished)).map(({ name }) => name)
}

export function codingsOf(value: unknown): LooseCoding[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'system' in value && 'code' in value ? [value as LooseCoding] : []
  return [...own, ...Object.values(value).flatMap(codingsOf)]
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}

function listsOf(value: unknown): unknown[][] {
  if (typeof value !== 'object' || value === null) return []
  return [...(Array.isArray(value) ? [value] : []), ...Object.values(value).flatMap(listsOf)]
}
