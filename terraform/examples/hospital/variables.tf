variable "name" {
  description = "What the names of this deployment begin with, such as mercy."
  type        = string
}

variable "project_id" {
  description = "The project of the services and of the recordings."
  type        = string
}

variable "keys_project_id" {
  description = "The project of the keys, with administrators of its own."
  type        = string

  validation {
    condition     = var.keys_project_id != var.project_id
    error_message = "Keys need a project of their own: whoever owns the recordings' project could otherwise open them."
  }
}

variable "recovery_project_id" {
  description = "The project of the recovery bucket. Best a third one, so that a project lost is not both buckets lost."
  type        = string
}

variable "log_project_id" {
  description = "The project of the bucket that the audit log is published in. Best one whose administrators have nothing to do with the others."
  type        = string
}

variable "log_bucket" {
  description = "The name of that bucket. What is written to it stays for seven years, and so does the bucket."
  type        = string
}

variable "recordings_bucket" {
  description = "The name of the recordings bucket."
  type        = string
}

variable "recovery_bucket" {
  description = "The name of the recovery bucket."
  type        = string
}

variable "reports_bucket" {
  description = "The name of a bucket for scheduled reports; null for none, where they go by mail or not at all."
  type        = string
  default     = null
}

variable "recordings_location" {
  description = "Where recordings lie."
  type        = string
  default     = "EUROPE-WEST3"
}

variable "recovery_location" {
  description = "Where their second copies lie."
  type        = string
  default     = "EUROPE-WEST4"
}

variable "log_location" {
  description = "Where the published log lies: elsewhere than the recordings."
  type        = string
  default     = "EUROPE-WEST4"
}

variable "keys_location" {
  description = "Where the keys are: a multi-region that holds both, lest a region that fails takes the keys of the copy as well."
  type        = string
  default     = "europe"
}

variable "protection" {
  description = "Where keys are held: SOFTWARE or HSM."
  type        = string
  default     = "HSM"
}

variable "retention_mode" {
  description = "Unlocked or Locked. Begin with Unlocked: what Locked keeps, nobody can remove before its time."
  type        = string
  default     = "Unlocked"
}

variable "retention_officers" {
  description = "People who may shorten or lock retention that is not locked, such as user:somebody@clinic.example. Best nobody: name them while they need it."
  type        = list(string)
  default     = []
}

variable "soft_delete_days" {
  description = "How many days a deleted object can be brought back; 0 for not at all."
  type        = number
  default     = 7
}

variable "recordings_kms_key" {
  description = "A key for Cloud Storage itself, in the location of the recordings bucket; null for Google's own."
  type        = string
  default     = null
}

variable "recovery_kms_key" {
  description = "The same for the recovery bucket."
  type        = string
  default     = null
}

variable "reports_kms_key" {
  description = "The same for the bucket of reports."
  type        = string
  default     = null
}

variable "log_kms_key" {
  description = "The same for the bucket of the log."
  type        = string
  default     = null
}
