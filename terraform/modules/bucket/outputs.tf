output "name" {
  description = "The name of the bucket."
  value       = google_storage_bucket.store.name
}

output "location" {
  description = "Where it lies, as Cloud Storage gives it back."
  value       = google_storage_bucket.store.location
}
