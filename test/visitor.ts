// Somebody with a browser that is none: it keeps cookies, follows where it is sent, and fills in an identity provider's form.
const stepsMost = 12
const html = 'text/html,application/xhtml+xml,*/*;q=0.8'

export interface Visitor {
  /** What it holds for a host name, whatever the port, as browsers do; a test may put something there. */
  cookiesOf(hostname: string): Map<string, string>
  /** One request, as an address bar makes it; sent nowhere. */
  get(url: string | URL, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** From an address of a relying party through the provider's pages to where that sends back to, which is not visited. */
  signIn(start: string | URL, who: Who): Promise<URL>
  /** The same, and back: the last answer. */
  arrive(start: string | URL, who: Who): Promise<Response>
}

export interface Who {
  readonly login: string
  /** Whether the second factor is shown. Default: yes. */
  readonly second?: boolean
  /** Gives up on the form. */
  readonly refuses?: boolean
}

export function openVisitor(): Visitor {
  const jars = new Map<string, Map<string, string>>()
  const cookiesOf = (hostname: string) => {
    const jar = jars.get(hostname) ?? new Map<string, string>()
    jars.set(hostname, jar)
    return jar
  }
  const ask = async (url: URL, init: RequestInit = {}): Promise<Response> => {
    const jar = cookiesOf(url.hostname)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: html, ...init.headers, ...(cookie === '' ? {} : { cookie }) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0(?:;|$)/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
  const get = (url: string | URL, headers: Readonly<Record<string, string>> = {}) =>
    ask(new URL(url), { headers })
  const nextOf = (response: Response, url: URL) => {
    const location = response.headers.get('location')
    return location === null ? null : new URL(location, url)
  }
  const fill = (url: URL, { login, second = true, refuses = false }: Who) => {
    const answer = refuses ? 'refuse' : 'sign-in'
    const body = new URLSearchParams({ login, answer, ...(second ? { second_factor: 'yes' } : {}) })
    return ask(url, { method: 'POST', body })
  }
  const signIn = async (start: string | URL, who: Who): Promise<URL> => {
    const home = new URL(start)
    let url = nextOf(await get(home), home)
    if (url === null) throw new Error('the relying party sent nobody anywhere')
    for (let step = 0; step < stepsMost; step++) {
      let response = await get(url)
      if (nextOf(response, url) === null) response = await fill(url, who)
      const next = nextOf(response, url)
      if (next === null) throw new Error(`the provider ended with a page: ${await response.text()}`)
      if (next.origin === home.origin) return next
      url = next
    }
    throw new Error('the provider goes round in circles')
  }
  return {
    cookiesOf,
    get,
    signIn,
    arrive: async (start, who) => get(await signIn(start, who)),
  }
}
