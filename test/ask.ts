// A request to the API with a bearer token and JSON, and its answer read to the end.
import { Problem, type ProblemName, problems } from '@auricle/contract'

export interface Told {
  readonly status: number
  readonly body: unknown
}

export async function ask(
  url: string,
  token: string | null,
  [method, path]: readonly [method: string, path: string],
  body?: unknown,
): Promise<Told> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

/** Which problem an answer is; null for one that is none. */
export function problemOf({ status, body }: Told): ProblemName | null {
  const problem = Problem.safeParse(body)
  if (!problem.success || status !== problem.data.status) return null
  const names = Object.keys(problems) as ProblemName[]
  return names.find(name => problems[name].type === problem.data.type) ?? null
}
