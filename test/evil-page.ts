// A web site of somebody who means harm, under names near to and far from the one attacked, and the pages it would show.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { escapeHtml } from './identity-pages.ts'
import { listenOnLoopback } from './loopback-server.ts'

const pollMs = 20

/**
 * What it is called. To a browser, `localhost` on another port is another origin of the same site, which shares its
 * cookies; the address is another site; and a neighbour of `app.localhost` may set cookies for both.
 */
export const evilHosts = ['localhost', '127.0.0.1', 'evil.app.localhost'] as const
export type EvilHost = (typeof evilHosts)[number]

export interface Lure {
  readonly html: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface EvilVisit {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface EvilSite extends AsyncDisposable {
  readonly port: number
  originAt(host: EvilHost): string
  /** Puts a page up and says where it lies under that name. */
  show(lure: Lure, host: EvilHost): string
  /** Requests for anything but its own pages, oldest first: what came to it that was not meant for it. */
  readonly loot: readonly EvilVisit[]
}

export async function startEvilSite(): Promise<EvilSite> {
  const lures: Lure[] = []
  const loot: EvilVisit[] = []
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const lure = lures[Number(/^\/lure\/(\d+)$/.exec(url)?.[1] ?? Number.NaN)]
    if (lure !== undefined) {
      for (const [name, value] of Object.entries(lure.headers ?? {})) response.setHeader(name, value)
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(lure.html)
      return
    }
    if (url === '/favicon.ico') {
      response.writeHead(204).end()
      return
    }
    text(request).then(
      body => {
        loot.push({ method, path: url, headers, body })
        // Whoever comes with a page of ours shall see that it was welcome.
        response.writeHead(200, { 'access-control-allow-origin': '*' }).end('thank you')
      },
      () => response.destroy(),
    )
  })
  const listening = await listenOnLoopback(server)
  const originAt = (host: EvilHost) => `http://${host}:${listening.port}`
  return {
    port: listening.port,
    originAt,
    show(lure, host) {
      lures.push(lure)
      return `${originAt(host)}/lure/${lures.length - 1}`
    },
    loot,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

/** How a form writes its fields; text/plain lets it write what a careless server reads as JSON. */
export type FormEncoding = 'application/x-www-form-urlencoded' | 'multipart/form-data' | 'text/plain'

/** A form that sends itself as soon as it is there, and takes the whole page with it. */
export function formLure(
  action: string,
  fields: Readonly<Record<string, string>>,
  {
    method = 'post',
    encoding = 'application/x-www-form-urlencoded',
  }: { readonly method?: 'get' | 'post'; readonly encoding?: FormEncoding } = {},
): Lure {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return wrap(
    `<form method="${method}" action="${escapeHtml(action)}" enctype="${encoding}">${inputs.join('')}</form>
    <script>document.forms[0].submit()</script>`,
  )
}

/** A form of text/plain whose body is that JSON: the `=` between name and value falls into a member of its own. */
export function jsonFormLure(action: string, members: Readonly<Record<string, unknown>>): Lure {
  const json = JSON.stringify({ ...members, padding: '=' })
  const [name = '', ...rest] = json.split('=')
  return formLure(action, { [name]: rest.join('=') }, { encoding: 'text/plain' })
}

export interface EvilRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly mode?: 'cors' | 'no-cors'
}

/** A script that asks with the person's cookies. Outcome: `answered` with status and text, or `refused`. */
export function fetchLure(url: string, request: EvilRequest = {}): Lure {
  const init = { ...request, credentials: 'include' }
  return scripted(`fetch(${inScript(url)}, ${inScript(init)})
    .then(async response => ({ kind: 'answered', status: response.status, text: await response.text() }))
    .catch(error => ({ kind: 'refused', reason: String(error) }))`)
}

export type Element = 'img' | 'audio' | 'video' | 'script' | 'iframe'

/**
 * An element that loads the address with whatever the browser sends along. Outcome: `loaded`, with what the page can
 * tell of it by then, or `refused`. A frame says `loaded` even of a page that was not let in; look at its address.
 */
export function elementLure(element: Element, url: string): Lure {
  const loaded = element === 'audio' || element === 'video' ? 'loadedmetadata' : 'load'
  return scripted(`new Promise(resolve => {
    const element = document.createElement(${inScript(element)})
    element.addEventListener(${inScript(loaded)}, () => {
      let text = null
      try { text = element.contentDocument?.body.innerText ?? null } catch {}
      resolve({ kind: 'loaded', text, seconds: element.duration ?? null, width: element.naturalWidth ?? null })
    })
    element.addEventListener('error', () => resolve({ kind: 'refused', reason: 'error' }))
    element.src = ${inScript(url)}
    document.body.append(element)
  })`)
}

/** A link that follows itself, as from a letter: the way on which a Lax cookie does come along. */
export function linkLure(url: string): Lure {
  return wrap(`<a href="${escapeHtml(url)}">look</a><script>document.links[0].click()</script>`)
}

/**
 * Opens the address in a window of its own and tries to read and to steer it. Outcome: `opened` with the text it could
 * read, null for none.
 */
export function windowLure(url: string): Lure {
  return scripted(`new Promise(resolve => {
    const other = open(${inScript(url)})
    const timer = setInterval(() => {
      if (other !== null && !other.closed) {
        // A window of another origin lets itself be read until it has arrived there, and then not any more.
        try {
          if (other.location.href === 'about:blank' || other.document.readyState !== 'complete') return
        } catch {}
      }
      clearInterval(timer)
      let text = null
      try { text = other.document.body.innerText } catch {}
      resolve({ kind: 'opened', text, closed: other?.closed ?? true })
    }, ${pollMs})
  })`)
}

/** Sets cookies by header and by script, each as it stands. Outcome: `tossed` with what scripts see afterwards. */
export function cookieLure(cookies: readonly string[]): Lure {
  const lines = cookies.map(cookie => `document.cookie = ${inScript(cookie)}`).join('\n')
  const { html } = scripted(`(() => {
    ${lines}
    return { kind: 'tossed', text: document.cookie }
  })()`)
  return { html, headers: { 'set-cookie': cookies } }
}

/**
 * As many cookies as asked for, so that the browser throws out older ones of the same host to make room. Outcome as of
 * cookieLure.
 */
export function cookieFloodLure(count: number, attributes: string): Lure {
  return scripted(`(() => {
    for (let index = 0; index < ${count}; index++) document.cookie = 'flood' + index + '=x; ' + ${inScript(attributes)}
    return { kind: 'tossed', text: document.cookie }
  })()`)
}

export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | {
      readonly kind: 'loaded'
      readonly text: string | null
      readonly seconds: number | null
      readonly width: number | null
    }
  | { readonly kind: 'opened'; readonly text: string | null; readonly closed: boolean }
  | { readonly kind: 'tossed'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** What a page that stays has come to; waits until it has. */
export async function outcomeOf(page: Page): Promise<Outcome> {
  const said = await page.locator('output:not(:empty)').textContent()
  return JSON.parse(said ?? 'null') as Outcome
}

function scripted(expression: string): Lure {
  return wrap(`<output></output><script>
    Promise.resolve(${expression}).then(outcome => {
      document.querySelector('output').textContent = JSON.stringify(outcome)
    })
  </script>`)
}

function wrap(body: string): Lure {
  return { html: `<!doctype html><title>a prize</title><link rel="icon" href="data:,"><body>${body}</body>` }
}

/** A value as a script within a page may hold it. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
