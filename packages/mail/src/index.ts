// Sends mail through a server of the deployment.
export { MailError, type MailErrorCode } from './error.ts'
export { createMailer, type Mailer, type MailSettings, type Message } from './mailer.ts'
