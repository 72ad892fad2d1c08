variable "project_id" {
  description = "The project that the accounts belong to."
  type        = string
}

variable "account_ids" {
  description = "The id of each service's account, by service."
  type        = map(string)
}
