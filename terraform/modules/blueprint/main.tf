# What a deployment consists of, as values: names, durations and places. No provider, so `terraform test` runs offline.

locals {
  services = ["ingest", "worker", "disposer", "api", "operator"]

  # Only one of the two deletes recordings, and it can do nothing else to them.
  own_settings = {
    worker   = { AURICLE_DISPOSITION = "apart" }
    disposer = { AURICLE_DISPOSITION = "only" }
  }

  account_ids = { for service in local.services : service => "${var.name}-${service}" }

  day_seconds         = 24 * 60 * 60
  rotation_period     = "${var.rotation_days * local.day_seconds}s"
  destroy_duration    = "${var.destroy_days * local.day_seconds}s"
  soft_delete_seconds = var.soft_delete_days * local.day_seconds

  # With a slash behind it where there is one, so that a key of ours can follow it directly.
  prefix = var.object_prefix == "" ? "" : "${var.object_prefix}/"

  # A multi-region holds every region whose name begins so.
  regions_within = { EU = "EUROPE-", US = "US-", ASIA = "ASIA-" }
  locations      = [upper(var.recordings_location), upper(var.recovery_location)]
  is_apart = local.locations[0] != local.locations[1] && !anytrue(concat(
    [for wide, begin in local.regions_within : local.locations[0] == wide && startswith(local.locations[1], begin)],
    [for wide, begin in local.regions_within : local.locations[1] == wide && startswith(local.locations[0], begin)],
  ))
}
