// What our files may not say although the provider would accept it.
import {
  asBlocks,
  asBody,
  type Configuration,
  isBody,
  type Module,
  stringsWithin,
  type TypedBlock,
  type Value,
} from './configuration.ts'
import { judgeRights } from './laws.ts'
import { readRights, rightsFile } from './rights.ts'

/** The one right that only people are given, and the one place that may name it; `laws.ts` says to whom and where. */
const officerRight = 'storage.objects.overrideUnlockedRetention'
const officerRoles = 'local officer_roles'

/** Anywhere in any value. */
const forbiddenWords: readonly (readonly [word: RegExp, why: string])[] = [
  [/\ball(Authenticated)?Users\b/, 'opens it to the world'],
  [/overrideUnlockedRetention/, 'lets somebody shorten retention'],
  [/\broles\/(owner|editor|viewer)\b/, 'is a role over everything'],
  [
    /\broles\/storage\.(admin|objectAdmin|objectUser|legacy\w+|folderAdmin)\b/,
    'gives more than any service needs',
  ],
  [
    /\broles\/cloudkms\.(admin|expertRawPKCS1|\w*ViaDelegation|cryptoOperator)\b/,
    'gives more than any service needs',
  ],
  [/\broles\/iam\./, 'lets somebody act as somebody else'],
]

const forbiddenTypes: readonly (readonly [type: RegExp, why: string])[] = [
  [/_iam_(binding|policy)$/, 'takes away grants that others made: use _iam_member'],
  [/^google_(project|folder|organization)_iam_member$/, 'reaches everything in the project'],
  [/_key$(?<!crypto_key)/, 'makes a key that can be carried away'],
]

const grantTypes = new Map([
  ['google_storage_bucket_iam_member', 'each.value.within'],
  ['google_kms_key_ring_iam_member', 'each.value.keys'],
])

export function judgeRules({ modules }: Configuration): string[] {
  const wrong = [...modules.values()].flatMap(module => [
    ...judgeWords(module),
    ...[...module.resources, ...module.data].flatMap(judgeType),
    ...module.providers.filter(({ body }) => body['credentials'] !== undefined).map(carriesKey),
    ...module.resources.flatMap(judgeResource),
  ])
  for (const module of modules.values()) {
    if (![...module.locals.values()].some(({ file }) => file === `${module.folder}/${rightsFile}`)) continue
    const { rights, problems } = readRights(module)
    wrong.push(...problems)
    if (rights !== null)
      wrong.push(...judgeRights(rights, `${module.folder}/${rightsFile}`, deploymentKeys(modules)))
  }
  return wrong
}

/** The keys that Terraform makes, by their names. */
function deploymentKeys(modules: Configuration['modules']): string[] {
  return [...modules.values()].flatMap(({ resources }) =>
    resources.filter(({ type }) => type === 'google_kms_crypto_key').map(({ body }) => String(body['name'])),
  )
}

function judgeWords(module: Module): string[] {
  const blocks = [
    ...[module.variables, module.outputs, module.calls].flatMap(found => [...found.values()]),
    ...module.resources,
    ...module.data,
    ...module.providers,
  ]
  const values: (readonly [file: string, title: string, value: Value])[] = [
    ...blocks.map(({ file, title, body }) => [file, title, body] as const),
    ...[...module.locals].map(([name, { file, value }]) => [file, `local ${name}`, value] as const),
  ]
  return values.flatMap(([file, title, value]) =>
    [...stringsWithin(value)].flatMap(text =>
      forbiddenWords
        .filter(([word]) => word.test(text) && !(title === officerRoles && text === officerRight))
        .map(([word, why]) => `${file}: ${title} says ${word.exec(text)?.[0]}, which ${why}`),
    ),
  )
}

function judgeType({ file, title, type }: TypedBlock): string[] {
  return forbiddenTypes
    .filter(([forbidden]) => forbidden.test(type))
    .map(([, why]) => `${file}: ${title} ${why}`)
}

function carriesKey({ file, title }: TypedBlock): string {
  return `${file}: ${title} has credentials: whoever applies it signs in as themselves`
}

function judgeResource(resource: TypedBlock): string[] {
  const say = (sentence: string) => `${resource.file}: ${resource.title} ${sentence}`
  switch (resource.type) {
    case 'google_storage_bucket':
      return [...judgeBucket(resource), ...judgeKept(resource)].map(say)
    case 'google_kms_key_ring':
      return judgeKept(resource).map(say)
    case 'google_kms_crypto_key':
      return [...judgeKey(resource), ...judgeKept(resource)].map(say)
    case 'google_project_service':
      return resource.body['disable_on_destroy'] === false
        ? []
        : [say('may be switched off by destroying it')]
    case 'google_project_iam_custom_role':
      return resource.body['permissions'] === `\${each.value.permissions}`
        ? []
        : [say('has permissions that do not come from the table of rights')]
    default:
      return resource.type.endsWith('_iam_member') ? [...judgeGrant(resource)].map(say) : []
  }
}

function judgeKept({ body }: TypedBlock): string[] {
  const kept = asBlocks(body['lifecycle']).some(lifecycle => lifecycle['prevent_destroy'] === true)
  return kept ? [] : ['can be destroyed: lifecycle.prevent_destroy is not true']
}

function* judgeBucket({ body }: TypedBlock): Generator<string> {
  const wanted: Readonly<Record<string, Value>> = {
    public_access_prevention: 'enforced',
    uniform_bucket_level_access: true,
    enable_object_retention: true,
    force_destroy: false,
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (body[name] !== value) yield `wants ${name} = ${JSON.stringify(value)}`
  }
  if (asBlocks(body['versioning'])[0]?.['enabled'] !== false) yield 'wants versioning.enabled = false'
  if (asBlocks(body['soft_delete_policy'])[0]?.['retention_duration_seconds'] === undefined)
    yield 'does not say how long deleted objects come back: soft_delete_policy'
  const [policy] = retentionPolicies(body)
  if (policy !== undefined && policy['is_locked'] !== true)
    yield 'keeps its objects by a policy that could be taken away: retention_policy.is_locked is not true'
  if (body['lifecycle_rule'] !== undefined || asBody(body['dynamic'])['lifecycle_rule'] !== undefined)
    yield 'has a lifecycle_rule: only the application knows when something may go'
}

/** Written out, or by a dynamic block. */
function retentionPolicies(body: TypedBlock['body']): readonly Readonly<Record<string, Value>>[] {
  const [dynamic] = asBlocks(asBody(body['dynamic'])['retention_policy'])
  return [...asBlocks(body['retention_policy']), ...asBlocks(dynamic?.['content'])]
}

function* judgeKey({ body }: TypedBlock): Generator<string> {
  if (body['destroy_scheduled_duration'] === undefined) yield 'lacks destroy_scheduled_duration'
  const rotates = !/^(ASYMMETRIC_|MAC)/.test(String(body['purpose'] ?? 'ENCRYPT_DECRYPT'))
  if (rotates && body['rotation_period'] === undefined) yield 'lacks rotation_period'
}

/** To people: from the table of officers, and within its folder always. */
function* judgeOfficer(body: TypedBlock['body']): Generator<string> {
  if (
    !/^\$\{google_project_iam_custom_role\.officer\[each\.value\.role\]\.name\}$/.test(String(body['role']))
  )
    yield "grants a role that does not come from the table of officers' rights"
  if (body['member'] !== `\${each.value.member}`) yield 'grants to somebody who is no officer'
  const [condition] = asBlocks(body['condition'])
  if (!/objects\/\$\{each\.value\.within\}/.test(String(condition?.['expression'])))
    yield 'reaches further than the table says: its condition must follow each.value.within'
}

/** Cloud Storage's own account needs the bucket's key; every other grant is made from the table. */
function* judgeGrant({ type, body }: TypedBlock): Generator<string> {
  const { role, member } = body
  if (body['for_each'] === `\${local.officers}`) {
    yield* judgeOfficer(body)
    return
  }
  const isServiceAgent =
    role === 'roles/cloudkms.cryptoKeyEncrypterDecrypter' &&
    typeof member === 'string' &&
    /^\$\{data\.google_storage_project_service_account\./.test(member)
  if (isServiceAgent) return
  if (typeof role !== 'string' || !/^\$\{.*\[each\.value\.role\](\.name)?\}$/.test(role))
    yield 'grants a role that does not come from the table of rights'
  if (member !== `\${var.members[each.value.service]}`)
    yield 'grants to somebody who does not come from the table of rights'
  const narrowing = grantTypes.get(type)
  if (narrowing === undefined) return
  const [condition] = asBlocks(asBody(body['dynamic'])['condition'])
  const [content] = asBlocks(condition?.['content'])
  const isWhole = condition !== undefined && content !== undefined && isBody(content)
  if (!isWhole || !String(condition['for_each']).startsWith(`\${${narrowing} == null ? [] : [`))
    yield `reaches further than the table says: a condition must follow ${narrowing}`
  else if (!/condition\.value/.test(String(content['expression'])))
    yield 'has a condition whose expression does not say what it reaches'
}
