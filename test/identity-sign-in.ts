// Who is asked to sign in at the identity provider of the tests, and what their answer makes them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { interactionPolicy, type Provider } from 'oidc-provider'
import { loginPage, plainPage } from './identity-pages.ts'
import type { ProviderAccount } from './identity-provider.ts'

/** What is said of a sign-in with the box for the second factor ticked, beside what is said of the account anyway. */
export const secondFactor = {
  acr: 'https://refeds.org/profile/mfa',
  amr: ['otp', 'mfa'],
} as const

/** A wish for an acr that the session does not have asks the person again, once, as large providers do. */
export function promptsWithAcr() {
  const { Check, base } = interactionPolicy
  const prompts = base()
  const check = new Check('wanted_acr', 'a stronger sign-in is wanted', ({ oidc }) => {
    const wanted = oidc.params?.['acr_values']
    if (typeof wanted !== 'string' || oidc.result?.login !== undefined) return Check.NO_NEED_TO_PROMPT
    const has = oidc.session?.acr
    return has !== undefined && wanted.split(' ').includes(has)
      ? Check.NO_NEED_TO_PROMPT
      : Check.REQUEST_PROMPT
  })
  prompts.get('login')?.checks.add(check)
  return prompts
}

/** Shows the page, or takes what the person has filled in. */
export async function answerInteraction(
  provider: Provider,
  accounts: ReadonlyMap<string, ProviderAccount>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const show = (status: number, html: string) =>
    response
      .writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
      .end(html)
  const interaction = await provider.interactionDetails(request, response).catch(() => null)
  if (interaction === null) {
    show(400, plainPage('That did not work', ['This sign-in is over. Begin again.']))
    return
  }
  const clientId = String(interaction.params['client_id'])
  const hint = String(interaction.params['login_hint'] ?? '')
  if (request.method !== 'POST') {
    show(200, loginPage({ clientId, hint, problem: null }))
    return
  }
  const form = new URLSearchParams(await text(request))
  if (form.get('answer') === 'refuse') {
    const refusal = { error: 'access_denied', error_description: 'the person gave up' }
    await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false })
    return
  }
  const login = form.get('login') ?? ''
  const account = [...accounts.values()].find(candidate => candidate.login === login)
  if (account === undefined) {
    show(401, loginPage({ clientId, hint: login, problem: 'Nobody has that login.' }))
    return
  }
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: account.subject, ...strengthOf(account, form.get('second_factor') === 'yes') } },
    { mergeWithLastSubmission: false },
  )
}

function strengthOf({ amr = ['pwd'], acr }: ProviderAccount, withSecond: boolean) {
  if (withSecond) return { amr: [...new Set([...amr, ...secondFactor.amr])], acr: secondFactor.acr }
  return { amr: [...amr], ...(acr !== undefined && { acr }) }
}
