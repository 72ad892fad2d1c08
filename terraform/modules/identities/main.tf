# One account a service, and no key of any: a process gets its account from where it runs, as short-lived tokens.

resource "google_project_service" "iam" {
  project = var.project_id
  service = "iam.googleapis.com"

  # Others in the project may use it as well.
  disable_on_destroy = false
}

resource "google_service_account" "service" {
  for_each = var.account_ids

  project      = var.project_id
  account_id   = each.value
  display_name = "Auricle ${each.key}"
  description  = "What ${each.key} of Auricle runs as. It must never have a key."

  depends_on = [google_project_service.iam]
}
