// The header that tells a client to show a banner: the emergency access of the person is open, and until when.
import type { UserActor } from '@auricle/identity'
import type { Response } from 'express'

export const breakGlassHeader = 'X-Auricle-Break-Glass'

/** On every answer while it is open, refusals among them. */
export function showBanner(
  response: Pick<Response, 'set'>,
  { breakGlass }: Pick<UserActor, 'breakGlass'>,
): void {
  if (breakGlass === null) return
  response.set(breakGlassHeader, `${breakGlass.id}; until=${breakGlass.until.toISOString()}`)
}
