output "key_ring" {
  description = "The full name of the key ring."
  value       = google_kms_key_ring.auricle.id
}

output "setting" {
  description = "What AURICLE_KMS is set to."
  value       = "gcp-kms://${google_kms_key_ring.auricle.id}"
}

output "checkpoint_key" {
  description = "The full name of the key that signs the state of the log."
  value       = google_kms_crypto_key.checkpoints.id
}
