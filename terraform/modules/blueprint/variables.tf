variable "name" {
  description = "What the names of this deployment begin with."
  type        = string

  validation {
    # A service account's id has at most 30 characters, and "-operator" is put behind it.
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 21 characters of a-z, 0-9 and -, begins with a letter and does not end with -."
  }
}

variable "recordings_location" {
  description = "Where recordings lie: a region, a dual-region or a multi-region of Cloud Storage."
  type        = string
}

variable "recovery_location" {
  description = "Where their second copies lie: another place, that does not fail together with the first."
  type        = string
}

variable "log_location" {
  description = "Where the published log lies: another place than the recordings, best under another administration."
  type        = string
  default     = "EUROPE-WEST4"
}

variable "object_prefix" {
  description = "Folder in both buckets that everything lies under, without slashes at its ends; empty for none."
  type        = string
  default     = ""

  validation {
    condition     = var.object_prefix == "" || can(regex("^[a-z0-9_-]+(/[a-z0-9_-]+)*$", var.object_prefix))
    error_message = "The prefix is made of a-z, 0-9, _ and -, with single slashes between, and none at its ends."
  }
}

variable "rotation_days" {
  description = "After how many days a key wraps under a new version."
  type        = number
  default     = 90

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 365 && floor(var.rotation_days) == var.rotation_days
    error_message = "Keys rotate after 1 to 365 whole days."
  }
}

variable "destroy_days" {
  description = "How many days a key version that was told to go can still be brought back. Cannot be changed later."
  type        = number
  default     = 30

  validation {
    condition     = var.destroy_days >= 7 && var.destroy_days <= 120 && floor(var.destroy_days) == var.destroy_days
    error_message = "Key versions can be brought back for 7 to 120 whole days."
  }
}

variable "soft_delete_days" {
  description = "How many days a deleted object can be brought back; 0 for not at all."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && floor(var.soft_delete_days) == var.soft_delete_days)
    error_message = "Deleted objects can be brought back for 7 to 90 whole days, or not at all (0)."
  }
}

variable "retention_mode" {
  description = "What keeps an object: Unlocked, which an administrator with a right of its own may shorten, or Locked, which nobody can."
  type        = string
  default     = "Unlocked"

  validation {
    condition     = contains(["Unlocked", "Locked"], var.retention_mode)
    error_message = "The retention mode is Unlocked or Locked."
  }
}

variable "protection" {
  description = "Where keys of tenants are held: SOFTWARE or HSM. Cannot be changed later."
  type        = string
  default     = "HSM"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.protection)
    error_message = "Keys are held in SOFTWARE or HSM."
  }
}
