// Makes the fixture that `check-terraform` holds our files against, from the typings of a package that is not a
// dependency. To make it again, or for another resource (add it to the lists below):
//   cd "$(mktemp -d)" && npm pack @pulumi/gcp@9.37.0 && tar xzf pulumi-gcp-*.tgz
//   node infra/extract-provider-schema.ts <that folder>/package && npm run format
// The typings follow hashicorp/google-beta 7, so an argument that only the beta provider has would pass unnoticed. The
// outcome was compared once with @cdktf/provider-google 16.12.1 (hashicorp/google 6.50): every argument that we use is in
// both, with the same nesting.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Argument, Arguments, Kind, ProviderSchema } from './terraform-check/provider-schema.ts'

interface Wanted {
  readonly type: string
  /** The file of the package without `.d.ts`, and what its interfaces begin with. */
  readonly file: string
  readonly name: string
  /** Required by the provider, optional in the package, which invents names. */
  readonly required?: readonly string[]
}

const resources: readonly Wanted[] = [
  { type: 'google_kms_crypto_key', file: 'kms/cryptoKey', name: 'CryptoKey', required: ['name'] },
  { type: 'google_kms_crypto_key_iam_member', file: 'kms/cryptoKeyIAMMember', name: 'CryptoKeyIAMMember' },
  { type: 'google_kms_key_ring', file: 'kms/keyRing', name: 'KeyRing', required: ['name'] },
  { type: 'google_kms_key_ring_iam_member', file: 'kms/keyRingIAMMember', name: 'KeyRingIAMMember' },
  {
    type: 'google_project_iam_custom_role',
    file: 'projects/iamcustomRole',
    name: 'IAMCustomRole',
    required: ['role_id'],
  },
  { type: 'google_project_service', file: 'projects/service', name: 'Service' },
  {
    type: 'google_service_account',
    file: 'serviceaccount/account',
    name: 'Account',
    required: ['account_id'],
  },
  { type: 'google_storage_bucket', file: 'storage/bucket', name: 'Bucket', required: ['name'] },
  { type: 'google_storage_bucket_iam_member', file: 'storage/bucketIAMMember', name: 'BucketIAMMember' },
]

const data: readonly Wanted[] = [
  {
    type: 'google_storage_project_service_account',
    file: 'storage/getProjectServiceAccount',
    name: 'GetProjectServiceAccount',
  },
]

/** Of the many arguments of the provider itself, those that a set-up of ours may want. */
const providerArguments = [
  'project',
  'region',
  'zone',
  'user_project_override',
  'billing_project',
  'credentials',
]

/** The package speaks of lists and repeated blocks in the plural. */
const singular: Readonly<Record<string, string>> = {
  lifecycle_rules: 'lifecycle_rule',
  matches_prefixes: 'matches_prefix',
  matches_storage_classes: 'matches_storage_class',
  matches_suffixes: 'matches_suffix',
  methods: 'method',
  origins: 'origin',
  response_headers: 'response_header',
}

/** What the package adds of its own. */
const foreign = /^pulumi_/

const folder = process.argv[2]
if (folder === undefined) throw new Error('Say where the package was unpacked')
const { name: packageName, version } = JSON.parse(read('package.json'))
const inputs = read('types/input.d.ts')

const schema: ProviderSchema = {
  source: `${packageName} ${version}`,
  provider: Object.fromEntries(
    Object.entries(argumentsOf(bodyOf(read('provider.d.ts'), 'ProviderArgs'))).filter(([name]) =>
      providerArguments.includes(name),
    ),
  ),
  resources: Object.fromEntries(
    resources.map(wanted => [wanted.type, typeOf(wanted, `${wanted.name}State`)] as const),
  ),
  data: Object.fromEntries(
    data.map(wanted => [wanted.type, typeOf(wanted, `${wanted.name}Result`)] as const),
  ),
}
writeFileSync(
  join(dirname(fileURLToPath(import.meta.url)), 'terraform-check', 'provider-schema.json'),
  `${JSON.stringify(schema, null, 2)}\n`,
)

function read(path: string): string {
  return readFileSync(join(folder ?? '', path), 'utf8')
}

function typeOf({ file, name, required = [] }: Wanted, answers: string) {
  const text = read(`${file}.d.ts`)
  const given = Object.entries(argumentsOf(bodyOf(text, `${name}Args`)))
  const attributes = Object.keys(argumentsOf(bodyOf(text, answers))).filter(found => !foreign.test(found))
  return {
    arguments: Object.fromEntries(
      given.map(([argument, facts]) => [
        argument,
        required.includes(argument) ? { ...facts, required: true } : facts,
      ]),
    ),
    attributes: [...new Set([...attributes, 'id'])].sort(),
  }
}

/** What stands between the braces of an interface, without comments. */
function bodyOf(text: string, name: string): string {
  const start = new RegExp(`interface ${name} \\{`).exec(text)
  if (start === null) throw new Error(`There is no interface ${name}`)
  const from = start.index + start[0].length
  let depth = 1
  let end = from
  const plain = text.slice(from).replace(/\/\*[\s\S]*?\*\//g, comment => ' '.repeat(comment.length))
  for (; depth > 0; end++) {
    const character = plain[end - from]
    if (character === undefined) throw new Error(`The interface ${name} does not end`)
    if (character === '{') depth++
    if (character === '}') depth--
  }
  return plain.slice(0, end - from - 1)
}

function argumentsOf(body: string): Arguments {
  const found: Record<string, Argument> = {}
  for (const [, name = '', optional, type = ''] of body.matchAll(
    /(?:readonly )?\b(\w+)(\?)?: ((?:[^;{}]|\{[^{}]*\})+);/g,
  )) {
    const snake = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    found[singular[snake] ?? snake] = { ...kindOf(type), required: optional === undefined }
  }
  return found
}

function kindOf(text: string): Kind {
  const type = text.trim().replace(/\s*\|\s*undefined$/, '')
  const wrapped = /^pulumi\.Input<([\s\S]*)>$/.exec(type)
  if (wrapped?.[1] !== undefined) return kindOf(wrapped[1])
  if (type.endsWith('[]')) {
    const item = kindOf(type.slice(0, -2))
    return item.kind === 'block' ? { ...item, many: true } : { kind: 'list' }
  }
  const block = /^(?:in|out)puts\.(?:(\w+)\.)?(\w+)$/.exec(type)
  if (block?.[2] !== undefined) {
    return { kind: 'block', many: false, arguments: blockArguments(block[1] ?? null, block[2]) }
  }
  if (type.startsWith('{')) return { kind: 'map' }
  if (type === 'string' || type === 'number' || type === 'boolean') return { kind: type }
  throw new Error(`The type ${type} is not understood`)
}

/** Another service may have an interface of the same name. */
function blockArguments(service: string | null, name: string): Arguments {
  const from = service === null ? 0 : inputs.indexOf(`namespace ${service} {`)
  if (from < 0) throw new Error(`There is no namespace ${service}`)
  return argumentsOf(bodyOf(inputs.slice(from), name))
}
