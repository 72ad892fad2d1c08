# The key ring in a project of its own, the keys that exist before the first tenant, and who may use what.

locals {
  # The application makes the keys of tenants, so rights reach them through the ring, by how their names end. Cloud KMS
  # may decide about the key or about one of its versions; the second half sees through a version to its key.
  condition_of = { for purpose, ending in var.tenant_key_endings : purpose => join(" || ", [
    "resource.name.endsWith(\"${ending}\")",
    "resource.name.extract(\"/cryptoKeys/{key}/cryptoKeyVersions/\").endsWith(\"${ending}\")",
  ]) }

  ring_grants = { for name, grant in var.grants : name => grant if grant.keys == null || contains(keys(var.tenant_key_endings), coalesce(grant.keys, "-")) }
  key_grants  = { for name, grant in var.grants : name => grant if !contains(keys(local.ring_grants), name) }

  # Of what is signed of the log.
  signature_algorithm = var.checkpoint_algorithm

  # What a grant may name beside the keys of tenants.
  key_ids = {
    identity     = google_kms_crypto_key.identity.id
    checkpoints  = google_kms_crypto_key.checkpoints.id
    receipts     = google_kms_crypto_key.receipts.id
    certificates = google_kms_crypto_key.certificates.id
  }

  roles = merge(var.key_roles, { for name, role in google_project_iam_custom_role.own : name => role.name })
}

resource "google_project_service" "kms" {
  project = var.project_id
  service = "cloudkms.googleapis.com"

  # Without the service nothing that is stored can be opened.
  disable_on_destroy = false
}

resource "google_kms_key_ring" "auricle" {
  project  = var.project_id
  name     = var.key_ring_name
  location = var.location

  depends_on = [google_project_service.kms]

  lifecycle {
    prevent_destroy = true
  }
}

# Wraps the keys that sign tokens.
resource "google_kms_crypto_key" "identity" {
  name                       = "identity"
  key_ring                   = google_kms_key_ring.auricle.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = var.rotation_period
  destroy_scheduled_duration = var.destroy_duration

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = var.protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Signs the state of the log. Cloud KMS does not rotate keys that sign: a new version is made and announced by hand.
resource "google_kms_crypto_key" "checkpoints" {
  name                       = "checkpoints"
  key_ring                   = google_kms_key_ring.auricle.id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = var.destroy_duration

  version_template {
    algorithm        = local.signature_algorithm
    protection_level = var.protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Vouches for the keys with which processes sign receipts.
resource "google_kms_crypto_key" "receipts" {
  name                       = "receipts"
  key_ring                   = google_kms_key_ring.auricle.id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = var.destroy_duration

  version_template {
    algorithm        = local.signature_algorithm
    protection_level = var.protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Signs that a recording was destroyed. Longer than what Cloud KMS signs whole with Ed25519, so its digest is signed.
resource "google_kms_crypto_key" "certificates" {
  name                       = "certificates"
  key_ring                   = google_kms_key_ring.auricle.id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = var.destroy_duration

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = var.protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_project_iam_custom_role" "own" {
  for_each = var.own_key_roles

  project     = var.project_id
  role_id     = "${replace(var.key_ring_name, "-", "_")}.keys.${each.key}"
  title       = each.value.title
  permissions = each.value.permissions
}

resource "google_kms_key_ring_iam_member" "grant" {
  for_each = local.ring_grants

  key_ring_id = google_kms_key_ring.auricle.id
  role        = local.roles[each.value.role]
  member      = var.members[each.value.service]

  dynamic "condition" {
    for_each = each.value.keys == null ? [] : [local.condition_of[each.value.keys]]

    content {
      title       = each.key
      description = each.value.why
      expression  = condition.value
    }
  }
}

resource "google_kms_crypto_key_iam_member" "grant" {
  for_each = local.key_grants

  crypto_key_id = local.key_ids[each.value.keys]
  role          = local.roles[each.value.role]
  member        = var.members[each.value.service]
}
