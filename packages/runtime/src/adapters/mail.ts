// The mail server that the configuration names, as the parts that a client takes.
import { readFile } from 'node:fs/promises'
import { createMailer, type Mailer, type MailSettings } from '@auricle/mail'
import type { Config, Secrets } from '../config.ts'
import { RuntimeError } from '../error.ts'

const ports = { starttls: 587, implicit: 465 } as const

/** Null where none is configured. Opens nothing yet. */
export async function openMailer(
  { mail }: Pick<Config, 'mail'>,
  { smtpUrl }: Pick<Secrets, 'smtpUrl'>,
): Promise<Mailer | null> {
  if (mail === null || smtpUrl === null) return null
  return createMailer({ ...(await smtpSettings(smtpUrl.reveal())), from: mail.from })
}

/** `smtp://user:password@host:587?ca=/path/ca.pem`. Throws `bad_config`, never naming the value. */
export async function smtpSettings(text: string): Promise<Omit<MailSettings, 'from'>> {
  const url = new URL(text)
  if ([...url.searchParams.keys()].some(name => name !== 'ca'))
    throw wrong('knows only the parameter ca: the path of a CA of its own')
  if (url.hostname === '') throw wrong('names no host')
  if (!/^\/?$/.test(url.pathname)) throw wrong('has no path')
  if ((url.username === '') !== (url.password === '')) throw wrong('has a name and a password, or neither')
  const tls = url.protocol === 'smtps:' ? 'implicit' : 'starttls'
  const ca = url.searchParams.get('ca')
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? ports[tls] : Number(url.port),
    tls,
    ca: ca === null ? null : await readCertificate(ca),
    username: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
  }
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new RuntimeError('bad_config', 'The CA file that AURICLE_SMTP_URL names cannot be read', { cause })
  }
}

const wrong = (what: string): RuntimeError => new RuntimeError('bad_config', `AURICLE_SMTP_URL ${what}`)
