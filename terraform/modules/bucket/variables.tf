variable "project_id" {
  description = "The project that the bucket belongs to."
  type        = string
}

variable "deployment" {
  description = "What the names of this deployment begin with."
  type        = string
}

variable "store" {
  description = "What the bucket is for: recordings, recovery, log or reports."
  type        = string

  validation {
    condition     = contains(["recordings", "recovery", "log", "reports"], var.store)
    error_message = "A bucket is for recordings, for recovery, for the log or for reports."
  }
}

variable "name" {
  description = "The name of the bucket, which nobody else in the world may have."
  type        = string
}

variable "location" {
  description = "Where the bucket lies."
  type        = string
}

variable "apart_from" {
  description = "Where the other bucket lies."
  type        = string
}

variable "kept_days" {
  description = "How many days everything in it is kept, whatever is said of a single object, by a policy that is locked for good; null for none."
  type        = number
  default     = null
}

variable "soft_delete_seconds" {
  description = "How long a deleted object can be brought back; 0 for not at all."
  type        = number
}

variable "kms_key_name" {
  description = "The full name of a key in the bucket's location that Cloud Storage encrypts under as well; null for Google's own. What is stored is sealed either way."
  type        = string
  default     = null
}

variable "roles" {
  description = "Roles for buckets, by short name."
  type = map(object({
    title       = string
    permissions = list(string)
  }))
}

variable "grants" {
  description = "Who holds which of them, on which bucket, within which folder, and why."
  type = map(object({
    service = string
    store   = string
    role    = string
    within  = string
    why     = string
  }))
}

variable "members" {
  description = "Each service as grants name it."
  type        = map(string)
}

variable "officer_roles" {
  description = "Roles for buckets that no service holds, by short name."
  type = map(object({
    title       = string
    permissions = list(string)
  }))
  default = {}
}

variable "officer_grants" {
  description = "Which officer may hold which of them, on which bucket, within which folder, and why."
  type = map(object({
    officer = string
    store   = string
    role    = string
    within  = string
    why     = string
  }))
  default = {}
}

variable "officers" {
  description = "Who is which officer now, as grants name people, such as user:somebody@clinic.example. Best nobody: named while they need it."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for member in flatten(values(var.officers)) : can(regex("^(user|group):", member))])
    error_message = "An officer is a person or a group of them: no service may be one."
  }
}
