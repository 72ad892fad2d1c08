# A bucket that keeps what it is told to keep, and who may do what in it. Used for recordings, for recovery, for
# the log and for reports.

locals {
  grants = { for name, grant in var.grants : name => grant if grant.store == var.store }
  roles  = { for name, role in var.roles : name => role if contains([for grant in values(local.grants) : grant.role], name) }

  officer_grants = { for name, grant in var.officer_grants : name => grant if grant.store == var.store }
  officer_roles  = { for name, role in var.officer_roles : name => role if contains([for grant in values(local.officer_grants) : grant.role], name) }

  # One for each person who is an officer at the time.
  officers = merge([for name, grant in local.officer_grants : {
    for member in lookup(var.officers, grant.officer, []) : "${name} ${member}" => merge(grant, { member = member, name = name })
  }]...)
}

resource "google_project_service" "storage" {
  project = var.project_id
  service = "storage.googleapis.com"

  # Without the service nothing that is stored can be reached.
  disable_on_destroy = false
}

resource "google_storage_bucket" "store" {
  project       = var.project_id
  name          = var.name
  location      = var.location
  storage_class = "STANDARD"

  # Rights come from grants on the bucket alone, and no grant can open it to the world.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every object carries its own time. It cannot be switched on later without help from Google.
  enable_object_retention = true

  force_destroy = false

  # Off on purpose. In a bucket with versions, a delete of an object under retention succeeds by keeping it as an older
  # version; here it is refused. Objects are never replaced, so versions would only keep deliveries that were cleared.
  versioning {
    enabled = false
  }

  # What is deleted by mistake or by an intruder comes back within this time. Nobody can end it early, so it must fit what
  # was promised about erasure; recordings are erased by their keys.
  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_seconds
  }

  # Of a bucket that is written to once: nobody can take the policy away or shorten it, its owner included, and the bucket
  # cannot be deleted before its last object may be.
  dynamic "retention_policy" {
    for_each = var.kept_days == null ? [] : [var.kept_days]

    content {
      retention_period = retention_policy.value * 24 * 60 * 60
      is_locked        = true
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key_name == null ? [] : [var.kms_key_name]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [
    google_project_service.storage,
    google_kms_crypto_key_iam_member.storage,
  ]

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = upper(var.location) != upper(var.apart_from)
      error_message = "The ${var.store} bucket would lie in ${var.location}, where the other one is: one outage would take both."
    }
  }
}

# Cloud Storage's own account, which uses the bucket's key where it has one.
data "google_storage_project_service_account" "storage" {
  count = var.kms_key_name == null ? 0 : 1

  project = var.project_id
}

resource "google_kms_crypto_key_iam_member" "storage" {
  count = var.kms_key_name == null ? 0 : 1

  crypto_key_id = var.kms_key_name
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.storage[0].member
}

resource "google_project_iam_custom_role" "role" {
  for_each = local.roles

  project     = var.project_id
  role_id     = "${replace(var.deployment, "-", "_")}.${var.store}.${each.key}"
  title       = each.value.title
  permissions = each.value.permissions
}

resource "google_storage_bucket_iam_member" "grant" {
  for_each = local.grants

  bucket = google_storage_bucket.store.name
  role   = google_project_iam_custom_role.role[each.value.role].name
  member = var.members[each.value.service]

  dynamic "condition" {
    for_each = each.value.within == null ? [] : [each.value.within]

    content {
      title       = each.key
      description = each.value.why
      expression  = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.store.name}/objects/${condition.value}\")"
    }
  }
}

resource "google_project_iam_custom_role" "officer" {
  for_each = local.officer_roles

  project     = var.project_id
  role_id     = "${replace(var.deployment, "-", "_")}.${var.store}.${each.key}"
  title       = each.value.title
  permissions = each.value.permissions
}

resource "google_storage_bucket_iam_member" "officer" {
  for_each = local.officers

  bucket = google_storage_bucket.store.name
  role   = google_project_iam_custom_role.officer[each.value.role].name
  member = each.value.member

  condition {
    title       = each.value.name
    description = each.value.why
    expression  = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.store.name}/objects/${each.value.within}\")"
  }
}
