variable "project_id" {
  description = "The project that holds the keys and nothing else, so that whoever administers data does not administer keys."
  type        = string
}

variable "key_ring_name" {
  description = "The name of the key ring. A name that was used once stays used for ever."
  type        = string
}

variable "location" {
  description = "Where the keys are. A multi-region keeps recordings readable while one region fails."
  type        = string
}

variable "protection" {
  description = "SOFTWARE or HSM."
  type        = string
}

variable "rotation_period" {
  description = "After how long a key wraps under a new version, such as 7776000s."
  type        = string
}

variable "destroy_duration" {
  description = "How long a key version that was told to go can be brought back, such as 2592000s."
  type        = string
}

variable "checkpoint_algorithm" {
  description = "How the state of the log is signed: EC_SIGN_ED25519, or EC_SIGN_P256_SHA256 where the protection does not offer it."
  type        = string
  default     = "EC_SIGN_P256_SHA256"

  validation {
    condition     = contains(["EC_SIGN_ED25519", "EC_SIGN_P256_SHA256"], var.checkpoint_algorithm)
    error_message = "The log is signed with EC_SIGN_ED25519 or EC_SIGN_P256_SHA256."
  }
}

variable "key_roles" {
  description = "Google's roles for keys, by short name."
  type        = map(string)
}

variable "own_key_roles" {
  description = "Roles to make, by short name."
  type = map(object({
    title       = string
    permissions = list(string)
  }))
}

variable "tenant_key_endings" {
  description = "What the names of tenants' keys end with, by purpose."
  type        = map(string)
}

variable "grants" {
  description = "Who holds which role for which keys, and why."
  type = map(object({
    service = string
    role    = string
    keys    = string
    why     = string
  }))
}

variable "members" {
  description = "Each service as grants name it."
  type        = map(string)
}
