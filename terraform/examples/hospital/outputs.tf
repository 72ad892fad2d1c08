locals {
  objects  = trimsuffix("gs://${module.recordings.name}/${module.blueprint.prefix}", "/")
  recovery = trimsuffix("gs://${module.recovery.name}/${module.blueprint.prefix}", "/")
  log      = trimsuffix("gs://${module.log.name}/${module.blueprint.prefix}", "/")

  everywhere = {
    AURICLE_OBJECTS   = local.objects
    AURICLE_LOG_STORE = local.log
    AURICLE_KMS       = module.keys.setting
  }
  # Whoever makes scheduled reports, and whoever is told whether they can be stored.
  with_reports = {
    for bucket in module.reports : "AURICLE_REPORT_STORE" => trimsuffix("gs://${bucket.name}/${module.blueprint.prefix}", "/")
  }
  # Whoever makes second copies, and whoever looks after them.
  with_recovery = {
    AURICLE_RECOVERY = local.recovery
  }
}

output "service_accounts" {
  description = "What each service runs as."
  value       = module.identities.emails
}

output "settings" {
  description = "The settings of each service that come from here, a line each. The database and Redis come beside them."
  value = { for service, settings in module.blueprint.settings : service => join("\n", [
    for setting, value in merge(settings, local.everywhere, contains(["worker", "disposer", "operator"], service) ? local.with_recovery : {}, contains(["worker", "api", "operator"], service) ? local.with_reports : {}) : "${setting}=${value}"
  ]) }
}

output "checkpoint_key" {
  description = "The key that signs the state of the log."
  value       = module.keys.checkpoint_key
}
