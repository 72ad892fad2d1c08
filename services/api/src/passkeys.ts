// Which site passkeys are for: the public address, or this machine's own name where there is none.
import { createPasskeys, type PasskeyParties, type Passkeys } from '@auricle/identity'

const rpName = 'Auricle'
const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/**
 * The origin is at the domain itself, since both come from the one address. Browsers make no passkeys for a bare IP
 * address, so on this machine it is `localhost`, whatever it listens on.
 */
export function passkeyParties(
  publicUrl: string | null,
  port: number,
): Pick<PasskeyParties, 'rpId' | 'origins'> {
  const own = `http://localhost:${port}`
  if (publicUrl === null) return { rpId: 'localhost', origins: [own] }
  const { hostname, origin } = new URL(publicUrl)
  if (!loopbackHosts.has(hostname)) return { rpId: hostname, origins: [origin] }
  return { rpId: 'localhost', origins: hostname === 'localhost' ? [...new Set([own, origin])] : [own] }
}

/** `port` is asked once somebody wants a passkey, when the service listens and knows it. */
export function openPasskeys({
  publicUrl,
  port,
  now,
}: { readonly publicUrl: string | null; readonly port: () => number } & Pick<
  PasskeyParties,
  'now'
>): Passkeys {
  let made: Passkeys | null = null
  const passkeys = () => {
    made ??= createPasskeys({ ...passkeyParties(publicUrl, port()), rpName, ...(now && { now }) })
    return made
  }
  return {
    registrationOptions: wanted => passkeys().registrationOptions(wanted),
    verifyRegistration: answer => passkeys().verifyRegistration(answer),
    assertionOptions: wanted => passkeys().assertionOptions(wanted),
    verifyAssertion: answer => passkeys().verifyAssertion(answer),
  }
}
