# What Auricle needs of Google Cloud, put together: accounts, keys in their own project, buckets apart.

module "blueprint" {
  source = "../../modules/blueprint"

  name                = var.name
  recordings_location = var.recordings_location
  recovery_location   = var.recovery_location
  log_location        = var.log_location
  protection          = var.protection
  retention_mode      = var.retention_mode
  soft_delete_days    = var.soft_delete_days
}

module "identities" {
  source = "../../modules/identities"

  project_id  = var.project_id
  account_ids = module.blueprint.account_ids
}

module "keys" {
  source = "../../modules/keys"

  project_id         = var.keys_project_id
  key_ring_name      = module.blueprint.key_ring_name
  location           = var.keys_location
  protection         = module.blueprint.protection
  rotation_period    = module.blueprint.rotation_period
  destroy_duration   = module.blueprint.destroy_duration
  key_roles          = module.blueprint.key_roles
  own_key_roles      = module.blueprint.own_key_roles
  tenant_key_endings = module.blueprint.tenant_key_endings
  grants             = module.blueprint.key_grants
  members            = module.identities.members
}

module "recordings" {
  source = "../../modules/bucket"

  project_id          = var.project_id
  deployment          = var.name
  store               = "recordings"
  name                = var.recordings_bucket
  location            = module.blueprint.locations.recordings
  apart_from          = module.blueprint.locations.recovery
  soft_delete_seconds = module.blueprint.soft_delete_seconds
  kms_key_name        = var.recordings_kms_key
  roles               = module.blueprint.object_roles
  grants              = module.blueprint.object_grants
  members             = module.identities.members
  officer_roles       = module.blueprint.officer_roles
  officer_grants      = module.blueprint.officer_grants
  officers            = { retention_officer = var.retention_officers }
}

module "recovery" {
  source = "../../modules/bucket"

  project_id          = var.recovery_project_id
  deployment          = var.name
  store               = "recovery"
  name                = var.recovery_bucket
  location            = module.blueprint.locations.recovery
  apart_from          = module.blueprint.locations.recordings
  soft_delete_seconds = module.blueprint.soft_delete_seconds
  kms_key_name        = var.recovery_kms_key
  roles               = module.blueprint.object_roles
  grants              = module.blueprint.object_grants
  members             = module.identities.members
  officer_roles       = module.blueprint.officer_roles
  officer_grants      = module.blueprint.officer_grants
  officers            = { retention_officer = var.retention_officers }
}

module "log" {
  source = "../../modules/bucket"

  project_id          = var.log_project_id
  deployment          = var.name
  store               = "log"
  name                = var.log_bucket
  location            = module.blueprint.locations.log
  apart_from          = module.blueprint.locations.recordings
  kept_days           = module.blueprint.log_kept_days
  soft_delete_seconds = module.blueprint.soft_delete_seconds
  kms_key_name        = var.log_kms_key
  roles               = module.blueprint.object_roles
  grants              = module.blueprint.object_grants
  members             = module.identities.members
}

# Where scheduled reports are stored, for those who read them: nothing in it names a patient.
module "reports" {
  source = "../../modules/bucket"
  count  = var.reports_bucket == null ? 0 : 1

  project_id          = var.project_id
  deployment          = var.name
  store               = "reports"
  name                = var.reports_bucket
  location            = module.blueprint.locations.recordings
  apart_from          = module.blueprint.locations.recovery
  soft_delete_seconds = module.blueprint.soft_delete_seconds
  kms_key_name        = var.reports_kms_key
  roles               = module.blueprint.object_roles
  grants              = module.blueprint.object_grants
  members             = module.identities.members
}
