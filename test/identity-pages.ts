// The pages of the identity provider that a person sees: who they are, whether with a second factor, and leaving.

export interface LoginQuestion {
  readonly clientId: string
  readonly hint: string
  /** What was wrong with the last answer, null at first. */
  readonly problem: string | null
}

/** One field `login`, one box `second_factor`, and buttons to sign in and to give up. */
export function loginPage({ clientId, hint, problem }: LoginQuestion): string {
  return page(
    'Sign in',
    `<h1>Sign in to ${escapeHtml(clientId)}</h1>
    ${problem === null ? '' : `<p role="alert">${escapeHtml(problem)}</p>`}
    <form method="post">
      <label>Login <input name="login" value="${escapeHtml(hint)}" required autofocus></label>
      <label><input type="checkbox" name="second_factor" value="yes"> Second factor</label>
      <button name="answer" value="sign-in">Sign in</button>
      <button name="answer" value="refuse" formnovalidate>Cancel</button>
    </form>`,
  )
}

/** `form` is the provider's own, without a button. */
export function logoutPage(form: string): string {
  return page(
    'Sign out',
    `<h1>Sign out?</h1>${form}
    <button form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
  )
}

export function plainPage(title: string, lines: readonly string[]): string {
  return page(
    title,
    [`<h1>${escapeHtml(title)}</h1>`, ...lines.map(line => `<p>${escapeHtml(line)}</p>`)].join('\n'),
  )
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
    <link rel="icon" href="data:,"><body>${body}</body></html>`
}
