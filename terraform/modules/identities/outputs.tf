output "emails" {
  description = "The address of each service's account, by service."
  value       = { for service, account in google_service_account.service : service => account.email }
}

output "members" {
  description = "The same as grants name them."
  value       = { for service, account in google_service_account.service : service => account.member }
}
