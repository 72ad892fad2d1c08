output "account_ids" {
  description = "The id of each service's account, by service."
  value       = local.account_ids
}

output "key_ring_name" {
  description = "The name of the key ring."
  value       = var.name
}

output "rotation_period" {
  description = "After how long a key wraps under a new version, as Cloud KMS writes it."
  value       = local.rotation_period
}

output "destroy_duration" {
  description = "How long a key version that was told to go can be brought back, as Cloud KMS writes it."
  value       = local.destroy_duration
}

output "protection" {
  description = "Where keys of tenants are held."
  value       = var.protection
}

output "soft_delete_seconds" {
  description = "How long a deleted object can be brought back."
  value       = local.soft_delete_seconds
}

output "prefix" {
  description = "What every key in the buckets begins with: empty, or ending in a slash."
  value       = local.prefix
}

output "locations" {
  description = "Where each bucket lies, by what it is for."
  value = {
    recordings = local.locations[0]
    recovery   = local.locations[1]
    log        = upper(var.log_location)
  }

  precondition {
    condition     = local.is_apart
    error_message = "Recordings and their second copies would lie in the same place (${var.recordings_location}, ${var.recovery_location}): one outage would take both."
  }
}

output "log_kept_days" {
  description = "How many days what is published of the log is kept: seven years with their leap days."
  value       = 2557
}

output "object_roles" {
  description = "The roles for buckets, by short name."
  value       = local.object_roles
}

output "object_grants" {
  description = "Who holds which of them, on which bucket, within which folder, and why. Folders as they are in the bucket."
  value = { for name, grant in local.object_grants : name => merge(grant, {
    within = grant.within == null ? null : "${local.prefix}${grant.within}"
  }) }
}

output "officer_roles" {
  description = "The roles for buckets that no service holds, by short name."
  value       = local.officer_roles
}

output "officer_grants" {
  description = "Which officer may hold which of them, on which bucket, within which folder, and why. Folders as they are in the bucket."
  value = { for name, grant in local.officer_grants : name => merge(grant, {
    within = "${local.prefix}${grant.within}"
  }) }
}

output "key_roles" {
  description = "Google's roles for keys, by short name."
  value       = local.key_roles
}

output "own_key_roles" {
  description = "The roles for keys that are ours, by short name."
  value       = local.own_key_roles
}

output "tenant_key_endings" {
  description = "What the names of tenants' keys end with, by purpose."
  value       = local.tenant_key_endings
}

output "key_grants" {
  description = "Who holds which role for which keys, and why."
  value       = local.key_grants
}

# What the processes are told, by service. They are held to the names of docs/configuration.md by a test.
output "settings" {
  description = "The settings of each service that do not depend on what Google Cloud answers."
  value = { for service in local.services : service => merge({
    AURICLE_OBJECTS_RETENTION = lower(var.retention_mode)
    AURICLE_KMS_PROTECTION    = var.protection
    AURICLE_KMS_ROTATION_DAYS = tostring(var.rotation_days)
    AURICLE_KMS_DESTROY_DAYS  = tostring(var.destroy_days)
  }, lookup(local.own_settings, service, {})) }
}
