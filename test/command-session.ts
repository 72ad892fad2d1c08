// Somebody made at the console who then signs in over HTTP: what commands of persons are run with.
import assert from 'node:assert/strict'
import { Session } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import { z } from 'zod'
import { ask } from './ask.ts'
import type { CommandFolder, Running, RunOptions } from './command.ts'

const Made = z.looseObject({ password: z.string(), totpSecret: z.string() })

/** Where the API of a vault that was started by command is. */
export async function apiOf(service: Running): Promise<string> {
  return /^ {2}API +(http:[^\s,]+)/m.exec(await service.said('Ctrl-C stops it'))?.[1] ?? ''
}

/** Makes the person in the tenant `clinic`, which must be the only one, and returns the token of their session. */
export async function signInAt(
  place: CommandFolder,
  api: string,
  { login, role }: { readonly login: string; readonly role: string },
  options: RunOptions = {},
): Promise<string> {
  const made = await place.run(['user', 'create', login, '--name', login, '--role', role, '--json'], options)
  assert.equal(made.code, 0, made.stderr)
  const { password, totpSecret } = Made.parse(JSON.parse(made.stdout.toString()))
  const code = totpCode(totpSecret, new Date())
  const { body } = await ask(api, null, ['POST', '/v1/sessions'], { tenant: 'clinic', login, password, code })
  return Session.parse(body).token
}
