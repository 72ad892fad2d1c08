// The checks of terraform/ find nothing in it as it is, and every mistake that is planted in it.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { judgeTerraform } from './judge.ts'
import type { ProviderSchema } from './provider-schema.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..', 'terraform')
const schema: ProviderSchema = JSON.parse(readFileSync(join(here, 'provider-schema.json'), 'utf8'))
const files = new Map(
  globSync('**/*.tf', { cwd: root }).map(path => [path, readFileSync(join(root, path), 'utf8')]),
)

const bucket = 'modules/bucket/main.tf'
const keys = 'modules/keys/main.tf'
const identities = 'modules/identities/main.tf'
const rights = 'modules/blueprint/rights.tf'
const blueprint = 'modules/blueprint/main.tf'
const hospital = 'examples/hospital/main.tf'

interface Mistake {
  readonly name: string
  readonly file: string
  /** What is replaced, once; null appends. */
  readonly from: string | RegExp | null
  readonly to: string
  /** What one problem must name, beside the file. */
  readonly named: string | RegExp
  /** Where the problem shows when it is not where it was made. */
  readonly shows?: string
}

const key = (name: string, rest: string) => `
resource "google_kms_crypto_key" "${name}" {
  name     = "${name}"
  key_ring = google_kms_key_ring.auricle.id
${rest}
}
`

/** Takes a grant of the table and changes one line of it. */
const grant = (name: string, line: string) => new RegExp(`(${name} = \\{[^}]*?\\n\\s*)${line}`)

const mistakes: readonly Mistake[] = [
  {
    name: 'a misspelt argument',
    file: bucket,
    from: 'force_destroy = false',
    to: 'force_destory = false',
    named: '"force_destory"',
  },
  {
    name: 'an argument of another resource',
    file: identities,
    from: 'display_name',
    to: 'title       ',
    named: '"title"',
  },
  {
    name: 'a required argument left out',
    file: keys,
    from: /\n {2}location = var\.location/,
    to: '',
    named: 'lacks "location"',
  },
  {
    name: 'a required argument that is a name left out',
    file: keys,
    from: /\n {2}name +(= "identity")/,
    to: '',
    named: 'lacks "name"',
  },
  {
    name: 'a required argument of a nested block left out',
    file: keys,
    from: /\n {4}algorithm +(= "GOOGLE_SYM\w+")/,
    to: '',
    named: 'version_template lacks "algorithm"',
  },
  {
    name: 'a required argument of a dynamic block left out',
    file: bucket,
    from: /\n {6}title +(= each\.key)/,
    to: '',
    named: 'condition lacks "title"',
  },
  {
    name: 'a misspelt argument of a nested block',
    file: bucket,
    from: 'retention_duration_seconds',
    to: 'retention_duration_second',
    named: '"retention_duration_second"',
  },
  { name: 'a block there is not', file: bucket, from: 'versioning {', to: 'versions {', named: '"versions"' },
  {
    name: 'a dynamic block there is not',
    file: bucket,
    from: 'dynamic "encryption"',
    to: 'dynamic "encrypted"',
    named: '"encrypted"',
  },
  {
    name: 'a dynamic block without content',
    file: keys,
    from: /\n {4}content \{[\s\S]*?\n {4}\}/,
    to: '',
    named: 'without content',
  },
  {
    name: 'a dynamic block over nothing',
    file: keys,
    from: /\n {4}for_each = each\.value\.keys[^\n]*/,
    to: '',
    named: 'dynamic condition lacks "for_each"',
  },
  {
    name: 'a block given as an argument',
    file: bucket,
    from: 'versioning {',
    to: 'versioning = {',
    named: 'versioning is a block',
  },
  {
    name: 'an argument given as a block',
    file: bucket,
    from: /storage_class = "STANDARD"/,
    to: 'storage_class {\n  }',
    named: '"storage_class"',
  },
  {
    name: 'a block nested one too deep',
    file: bucket,
    from: /versioning \{\n {4}enabled = false/,
    to: 'versioning {\n    versioning {\n      enabled = false\n    }',
    named: 'versioning has no argument or block "versioning"',
  },
  {
    name: 'a single block given twice',
    file: bucket,
    from: '  force_destroy = false',
    to: '  force_destroy = false\n  versioning {\n    enabled = false\n  }',
    named: 'versioning is given more than once',
  },
  {
    name: 'a text where a number belongs',
    file: bucket,
    from: '= var.soft_delete_seconds',
    to: '= "a week"',
    named: '"retention_duration_seconds"',
  },
  {
    name: 'a text where yes or no belongs',
    file: bucket,
    from: 'enable_object_retention = true',
    to: 'enable_object_retention = "on"',
    named: '"enable_object_retention"',
  },
  {
    name: 'one value where a list belongs',
    file: identities,
    from: /depends_on = \[.*\]/,
    to: 'depends_on = "nothing"',
    named: '"depends_on"',
  },
  {
    name: 'a resource there is not',
    file: keys,
    from: 'resource "google_kms_key_ring"',
    to: 'resource "google_kms_keyring"',
    named: 'google_kms_keyring',
  },
  {
    name: 'a data source there is not',
    file: bucket,
    from: 'data "google_storage_project_service_account"',
    to: 'data "google_storage_service_account"',
    named: 'google_storage_service_account',
  },
  {
    name: 'a block of another language',
    file: keys,
    from: null,
    to: '\nresources "a" "b" {\n}\n',
    named: '"resources"',
  },
  {
    name: 'a provisioner',
    file: bucket,
    from: '  force_destroy = false',
    to: '  force_destroy = false\n  provisioner "local-exec" {\n    command = "true"\n  }',
    named: '"provisioner"',
  },
  {
    name: 'a file that does not parse',
    file: keys,
    from: 'resource "google_kms_key_ring" "auricle" {',
    to: 'resource "google_kms_key_ring" "auricle"',
    named: 'Invalid block definition',
  },
  {
    name: 'a variable that is not declared',
    file: keys,
    from: 'var.location',
    to: 'var.region',
    named: 'var.region',
  },
  {
    name: 'a variable that is not declared, within a text',
    file: bucket,
    from: `would lie in \${var.location}`,
    to: `would lie in \${var.place}`,
    named: 'var.place',
  },
  {
    name: 'a variable that is not used',
    file: 'modules/keys/variables.tf',
    from: null,
    to: '\nvariable "idle" {\n  description = "Nothing."\n  type        = string\n}\n',
    named: 'variable idle',
  },
  {
    name: 'a variable that only its own validation uses',
    file: 'modules/keys/main.tf',
    from: 'signature_algorithm = var.checkpoint_algorithm',
    to: 'signature_algorithm = "EC_SIGN_ED25519"',
    named: 'variable checkpoint_algorithm',
    shows: 'modules/keys/variables.tf',
  },
  {
    name: 'a variable without a type',
    file: 'modules/bucket/variables.tf',
    from: /\n {2}type +(= number)/,
    to: '',
    named: 'variable kept_days lacks "type"',
  },
  {
    name: 'a variable declared twice',
    file: 'modules/bucket/variables.tf',
    from: null,
    to: '\nvariable "name" {\n  description = "Again."\n  type        = string\n}\n',
    named: 'variable name is declared twice',
  },
  {
    name: 'a local that is not declared',
    file: keys,
    from: 'local.ring_grants\n',
    to: 'local.ring_rights\n',
    named: 'local.ring_rights',
  },
  {
    name: 'a local that is not used',
    file: blueprint,
    from: '  day_seconds ',
    to: '  hour_seconds = 3600\n  day_seconds ',
    named: 'local hour_seconds',
  },
  {
    name: 'a resource that is not declared',
    file: keys,
    from: 'google_kms_crypto_key.checkpoints.id',
    to: 'google_kms_crypto_key.checkpoint.id',
    named: 'google_kms_crypto_key.checkpoint.id',
  },
  {
    name: 'an attribute there is not',
    file: 'modules/identities/outputs.tf',
    from: null,
    to: '\noutput "x" {\n  description = "X."\n  value       = google_project_service.iam.adress\n}\n',
    named: 'google_project_service.iam.adress',
  },
  {
    name: 'a resource declared twice',
    file: keys,
    from: null,
    to: key(
      'identity',
      '  rotation_period            = "1s"\n  destroy_scheduled_duration = "1s"\n  lifecycle {\n    prevent_destroy = true\n  }',
    ),
    named: 'google_kms_crypto_key.identity is declared twice',
  },
  {
    name: 'each outside of for_each',
    file: identities,
    from: '  for_each = var.account_ids\n',
    to: '',
    named: 'each.value',
  },
  {
    name: 'a name out of nowhere',
    file: keys,
    from: 'var.protection\n  }\n\n  lifecycle',
    to: 'vars.protection\n  }\n\n  lifecycle',
    named: 'vars.protection',
  },
  {
    name: 'a module called with what it does not take',
    file: hospital,
    from: 'soft_delete_days    = var',
    to: 'softdelete_days     = var',
    named: '"softdelete_days"',
  },
  {
    name: 'a module called without what it needs',
    file: hospital,
    from: /\n {2}apart_from +(= module\.blueprint\.locations\.recovery)/,
    to: '',
    named: 'module recordings lacks "apart_from"',
  },
  {
    name: 'a module that is not there',
    file: hospital,
    from: '../../modules/keys',
    to: '../../modules/key',
    named: '"../../modules/key"',
  },
  {
    name: 'a module from somewhere else',
    file: hospital,
    from: '../../modules/keys',
    to: 'somebody/keys/google',
    named: 'module keys has no source',
  },
  {
    name: 'an output that a module does not give',
    file: hospital,
    from: 'module.identities.members',
    to: 'module.identities.accounts',
    named: 'module.identities.accounts',
  },
  {
    name: 'an open-ended provider version',
    file: 'modules/keys/versions.tf',
    from: '">= 7.0, < 8.0"',
    to: '">= 7.0"',
    named: 'provider google',
  },
  {
    name: 'a module without a provider version',
    file: 'modules/bucket/versions.tf',
    from: /\n {2}required_providers \{[\s\S]*?\n {2}\}/,
    to: '',
    named: 'hashicorp/google',
  },

  {
    name: 'a bucket that may be public',
    file: bucket,
    from: '"enforced"',
    to: '"inherited"',
    named: 'public_access_prevention',
  },
  {
    name: 'a bucket with access by object',
    file: bucket,
    from: 'uniform_bucket_level_access = true',
    to: 'uniform_bucket_level_access = false',
    named: 'uniform_bucket_level_access',
  },
  {
    name: 'a bucket without object retention',
    file: bucket,
    from: 'enable_object_retention = true',
    to: '',
    named: 'enable_object_retention',
  },
  {
    name: 'a bucket that empties itself',
    file: bucket,
    from: 'force_destroy = false',
    to: 'force_destroy = true',
    named: 'force_destroy',
  },
  {
    name: 'a bucket that can be destroyed',
    file: bucket,
    from: 'prevent_destroy = true',
    to: 'prevent_destroy = false',
    named: 'prevent_destroy',
  },
  {
    name: 'a bucket with versions',
    file: bucket,
    from: 'enabled = false',
    to: 'enabled = true',
    named: 'versioning',
  },
  {
    name: 'a bucket that deletes by age',
    file: bucket,
    from: '  force_destroy = false',
    to: '  force_destroy = false\n  lifecycle_rule {\n    action {\n      type = "Delete"\n    }\n    condition {\n      age = 1\n    }\n  }',
    named: 'lifecycle_rule',
  },
  {
    name: 'a bucket that is silent on soft delete',
    file: bucket,
    from: /\n {2}soft_delete_policy \{[\s\S]*?\n {2}\}/,
    to: '',
    named: 'soft_delete_policy',
  },
  {
    name: 'buckets that need not be apart',
    file: bucket,
    from: 'upper(var.location) != upper(var.apart_from)',
    to: 'var.location != ""',
    named: 'variable apart_from',
    shows: 'modules/bucket/variables.tf',
  },
  {
    name: 'a grant to the world',
    file: bucket,
    from: 'var.members[each.value.service]',
    to: '"allUsers"',
    named: 'allUsers',
  },
  {
    name: 'a grant to everybody who signs in',
    file: keys,
    from: 'var.members[each.value.service]',
    to: '"allAuthenticatedUsers"',
    named: 'allAuthenticatedUsers',
  },
  {
    name: 'a binding that takes grants away',
    file: bucket,
    from: null,
    to: '\nresource "google_storage_bucket_iam_binding" "all" {\n  bucket  = google_storage_bucket.store.name\n  role    = "roles/storage.objectViewer"\n  members = [var.members["ingest"]]\n}\n',
    named: 'google_storage_bucket_iam_binding.all takes away',
  },
  {
    name: 'a grant on the whole project',
    file: identities,
    from: null,
    to: '\nresource "google_project_iam_member" "all" {\n  project = var.project_id\n  role    = "roles/storage.objectViewer"\n  member  = google_service_account.service["api"].member\n}\n',
    named: 'google_project_iam_member.all reaches everything',
  },
  {
    name: 'a key file',
    file: identities,
    from: null,
    to: '\nresource "google_service_account_key" "api" {\n  service_account_id = google_service_account.service["api"].name\n}\n',
    named: 'google_service_account_key.api makes a key',
  },
  {
    name: 'credentials in the provider',
    file: 'examples/hospital/versions.tf',
    from: '  project = var.project_id',
    to: '  project     = var.project_id\n  credentials = file("key.json")',
    named: 'provider google has credentials',
  },
  {
    name: 'a role over everything',
    file: keys,
    from: 'local.roles[each.value.role]',
    to: '"roles/owner"',
    named: 'roles/owner',
  },
  {
    name: 'a role that administers buckets',
    file: bucket,
    from: /role +(= google_project_iam_custom_role\.role\[each\.value\.role\]\.name)/,
    to: 'role   = "roles/storage.admin"',
    named: 'roles/storage.admin',
  },
  {
    name: 'a role that administers keys',
    file: rights,
    from: '"roles/cloudkms.signer"',
    to: '"roles/cloudkms.admin"',
    named: 'roles/cloudkms.admin',
  },
  {
    name: 'a role beside the table',
    file: bucket,
    from: /role +(= google_project_iam_custom_role\.role\[each\.value\.role\]\.name)/,
    to: 'role   = "roles/storage.objectViewer"',
    named: 'google_storage_bucket_iam_member.grant grants a role',
  },
  {
    name: 'a grant to somebody else',
    file: keys,
    from: 'var.members[each.value.service]',
    to: 'var.members["ingest"]',
    named: 'google_kms_key_ring_iam_member.grant grants to somebody',
  },
  {
    name: 'a grant that is not narrowed',
    file: keys,
    from: /\n {2}dynamic "condition" \{[\s\S]*?\n {2}\}/,
    to: '',
    named: 'google_kms_key_ring_iam_member.grant reaches further',
  },
  {
    name: 'a condition that is never there',
    file: bucket,
    from: 'each.value.within == null ? [] : [each.value.within]',
    to: '[]',
    named: 'google_storage_bucket_iam_member.grant reaches further',
  },
  {
    name: 'a condition that is always true',
    file: bucket,
    from: /expression +(= "resource\.name[^\n]*)/,
    to: 'expression  = "true"',
    named: 'does not say what it reaches',
  },
  {
    name: 'permissions beside the table',
    file: bucket,
    from: 'each.value.permissions',
    to: '["storage.objects.delete"]',
    named: 'google_project_iam_custom_role.role',
  },
  {
    name: 'a wrapping key that never rotates',
    file: keys,
    from: /\n {2}rotation_period +(= var\.rotation_period)/,
    to: '',
    named: 'google_kms_crypto_key.identity lacks rotation_period',
  },
  {
    name: 'a key that goes at once',
    file: keys,
    from: /\n {2}destroy_scheduled_duration = var\.destroy_duration/,
    to: '',
    named: 'lacks destroy_scheduled_duration',
  },
  {
    name: 'a key that can be destroyed',
    file: keys,
    from: null,
    to: key('more', '  rotation_period            = "7776000s"\n  destroy_scheduled_duration = "2592000s"'),
    named: 'google_kms_crypto_key.more can be destroyed',
  },
  {
    name: 'a key ring that can be destroyed',
    file: keys,
    from: /\n {2}lifecycle \{\n {4}prevent_destroy = true\n {2}\}/,
    to: '',
    named: 'google_kms_key_ring.auricle can be destroyed',
  },
  {
    name: 'a service that is switched off with it',
    file: keys,
    from: 'disable_on_destroy = false',
    to: 'disable_on_destroy = true',
    named: 'google_project_service.kms',
  },

  {
    name: 'a door that opens recordings',
    file: rights,
    from: grant('ingest_encrypt_recordings', 'role    = "encrypt"'),
    to: '$1role    = "decrypt"',
    named: 'ingest_encrypt_recordings gives ingest decrypt recordings',
  },
  {
    name: 'a door that opens every key',
    file: rights,
    from: grant('ingest_decrypt_connectors', '(?:role.*\\n\\s*)keys    = "connectors"'),
    to: '$1role    = "decrypt"\n      keys    = null',
    named: 'ingest_decrypt_connectors gives ingest decrypt of every key',
  },
  {
    name: 'a door that reads back',
    file: rights,
    from: grant('ingest_create', '(service.*\\n.*store.*\\n\\s*)role    = "create"'),
    to: '$1$2role    = "read"',
    named: 'ingest_create gives ingest get recordings/intake/',
  },
  {
    name: 'a door that deletes',
    file: rights,
    from: grant('ingest_create', '(service.*\\n.*store.*\\n\\s*)role    = "create"'),
    to: '$1$2role    = "remove"',
    named: 'ingest_create gives ingest delete recordings/intake/',
  },
  {
    name: 'a door that creates anywhere',
    file: rights,
    from: grant('ingest_create', '(service.*\\n.*store.*\\n.*role.*\\n\\s*)within  = "intake/"'),
    to: '$1$2within  = null',
    named: 'ingest_create gives ingest create recordings/',
  },
  {
    name: 'a player that deletes',
    file: rights,
    from: grant('api_read', '(service.*\\n.*store.*\\n\\s*)role    = "read"'),
    to: '$1$2role    = "remove"',
    named: 'api_read gives api delete',
  },
  {
    name: 'a worker that deletes recordings',
    file: rights,
    from: grant('worker_remove', '(service.*\\n.*store.*\\n.*role.*\\n\\s*)within  = "intake/"'),
    to: '$1$2within  = "recordings/"',
    named: 'worker_remove gives worker delete recordings/recordings/',
  },
  {
    name: 'hands that delete a recording and may take its hold off',
    file: rights,
    from: grant('disposer_list', '(service.*\\n.*store.*\\n\\s*)role    = "list"\\n(\\s*)within  = null'),
    to: '$1$2role    = "keep"\n$3within  = "recordings/"',
    named: /take off what keeps them|gives disposer/,
  },
  {
    name: 'a worker that deletes second copies',
    file: rights,
    from: grant('worker_remove', '(service.*\\n\\s*)store   = "recordings"'),
    to: '$1$2store   = "recovery"',
    named: 'worker_remove gives worker delete recovery/intake/',
  },
  {
    name: 'a worker that deletes what is published of the log',
    file: rights,
    from: grant('worker_remove', '(service.*\\n\\s*)store   = "recordings"'),
    to: '$1$2store   = "log"',
    named: 'worker_remove gives worker delete log/intake/',
  },
  {
    name: 'a worker that deletes the reports that it made',
    file: rights,
    from: grant('worker_create_reports', '(service.*\\n.*store.*\\n\\s*)role    = "create"'),
    to: '$1$2role    = "remove"',
    named: 'worker_create_reports gives worker delete reports/',
  },
  {
    name: 'a grant on a store that is none',
    file: rights,
    from: grant('worker_read_reports', '(service.*\\n\\s*)store   = "reports"'),
    to: '$1$2store   = "report"',
    named: /worker_read_reports/,
  },
  {
    name: 'an api that reads what is published of the log',
    file: rights,
    from: grant('api_create_log', '(service.*\\n.*store.*\\n\\s*)role    = "create"'),
    to: '$1$2role    = "read"',
    named: 'api_create_log gives api get log/late/',
  },
  {
    name: 'a policy of a bucket that can be taken away',
    file: bucket,
    from: 'is_locked        = true',
    to: 'is_locked        = false',
    named: 'retention_policy.is_locked',
  },
  {
    name: 'a worker that makes keys',
    file: rights,
    from: grant('worker_look_up', '(service.*\\n\\s*)role    = "look_up"'),
    to: '$1$2role    = "make_keys"',
    named: 'worker_look_up lets worker make keys',
  },
  {
    name: 'somebody who shortens retention',
    file: rights,
    from: '"storage.objects.setRetention", "storage.objects.update"',
    to: '"storage.objects.overrideUnlockedRetention"',
    named: 'overrideUnlockedRetention',
  },
  {
    name: 'a service that shortens retention',
    file: rights,
    from: grant('worker_keep', '(service.*\\n.*store.*\\n\\s*)role    = "keep"'),
    to: '$1$2role    = "loosen"',
    named: 'worker_keep is of loosen, which is no role',
  },
  {
    name: 'an officer that is a service',
    file: rights,
    from: 'officer = "retention_officer"',
    to: 'officer = "worker"',
    named: 'loosen_recordings is to worker, which is a service',
  },
  {
    name: 'an officer that deletes',
    file: rights,
    from: '"storage.objects.get", "storage.objects.overrideUnlockedRetention"',
    to: '"storage.objects.delete", "storage.objects.overrideUnlockedRetention"',
    named: 'loosen_recordings gives retention_officer delete recordings/recordings/',
  },
  {
    name: 'an officer of the log',
    file: rights,
    from: /(loosen_recovery = \{\n.*\n\s*)store {3}= "recovery"/,
    to: '$1store   = "log"',
    named: 'loosen_recovery gives retention_officer get log/recordings/',
  },
  {
    name: 'officers who reach every object',
    file: bucket,
    from: /objects\/\$\{each\.value\.within\}/,
    to: 'objects/',
    named: 'google_storage_bucket_iam_member.officer reaches further than the table says',
  },
  {
    name: 'a service that gets the role of officers',
    file: bucket,
    from: 'member = each.value.member\n',
    to: 'member = var.members["worker"]\n',
    named: 'google_storage_bucket_iam_member.officer grants to somebody who is no officer',
  },
  {
    name: 'an officer of everything',
    file: rights,
    from: /(loosen_recovery = \{\n.*\n.*\n.*\n\s*)within {2}= "recordings\/"/,
    to: '$1within  = null',
    named: 'loosen_recovery gives retention_officer get recovery/',
  },
  {
    name: 'a misspelt right',
    file: rights,
    from: '"storage.objects.list"',
    to: '"storage.object.list"',
    named: 'storage.object.list',
  },
  {
    name: 'a right to destroy keys',
    file: rights,
    from: '"cloudkms.cryptoKeys.update",',
    to: '"cloudkms.cryptoKeyVersions.destroy",',
    named: 'cloudkms.cryptoKeyVersions.destroy',
  },
  {
    name: 'a right over the bucket among keys',
    file: rights,
    from: '"cloudkms.keyRings.get",',
    to: '"storage.objects.get",',
    named: 'storage.objects.get',
  },
  {
    name: 'a role that is not what it says',
    file: rights,
    from: 'encrypt = "roles/cloudkms.cryptoKeyEncrypter"',
    to: 'encrypt = "roles/cloudkms.cryptoKeyEncrypterDecrypter"',
    named: 'role encrypt is roles/cloudkms.cryptoKeyEncrypterDecrypter',
  },
  {
    name: 'a grant to nobody',
    file: rights,
    from: grant('api_look_up', 'service = "api"'),
    to: '$1service = "app"',
    named: 'api_look_up is to app',
  },
  {
    name: 'a grant of no role',
    file: rights,
    from: grant('operator_list', '(service.*\\n.*store.*\\n\\s*)role    = "list"'),
    to: '$1$2role    = "lists"',
    named: 'operator_list is of lists',
  },
  {
    name: 'a grant for keys there are not',
    file: rights,
    from: grant('worker_sign_checkpoints', '(service.*\\n.*role.*\\n\\s*)keys    = "checkpoints"'),
    to: '$1$2keys    = "checkpoint"',
    named: 'worker_sign_checkpoints is for checkpoint',
  },
  {
    name: 'a grant that nobody explained',
    file: rights,
    from: /"Plays recordings; cannot change or delete any"/,
    to: '""',
    named: 'object_grants.api_read.why',
  },
  {
    name: 'a grant that is computed',
    file: rights,
    from: grant('api_read', '(service.*\\n.*store.*\\n.*role.*\\n\\s*)within  = "recordings/"'),
    to: '$1$2within  = var.object_prefix',
    named: 'object_grants.api_read.within',
  },
]

describe('the checks of terraform/', () => {
  it('find nothing in it as it is', async () => {
    assert.ok(files.size > 15)
    assert.deepEqual(await judgeTerraform(files, schema), [])
  })

  for (const { name, file, from, to, named, shows = file } of mistakes) {
    it(`find ${name}`, async () => {
      const text = files.get(file)
      assert.ok(text !== undefined, file)
      const planted = from === null ? `${text}${to}` : text.replace(from, to)
      assert.notEqual(planted, text, 'the mistake was not planted')
      const found = await judgeTerraform(new Map([...files, [file, planted]]), schema)
      const isNamed = (problem: string) =>
        problem.startsWith(`${shows}:`) &&
        (typeof named === 'string' ? problem.includes(named) : named.test(problem))
      assert.ok(found.some(isNamed), `found only:\n${found.join('\n')}`)
    })
  }
})
