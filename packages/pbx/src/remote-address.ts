// Which network addresses audio may be fetched from: public ones, or those of a private network that was named.
import ipaddr from 'ipaddr.js'
import { PbxError } from './error.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
export type Network = readonly [Address, number]

/** The block that IANA gives out as global unicast (RFC 4291 section 2.4); what lies outside is nobody's web server. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/** Ranges that a named private network may reach. Link-local is not among them: cloud metadata services live there. */
const nameableRanges = new Set(['unicast', 'private', 'loopback', 'uniqueLocal', 'carrierGradeNat'])

/** Metadata and host services of clouds that lie in ranges which are otherwise fine. */
const neverReachable = new Set(['100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'])

/** Throws `PbxError('fetch_refused')` where an administrator entered what is no CIDR block. */
export function parseNetwork(cidr: string): Network {
  try {
    return ipaddr.parseCIDR(cidr)
  } catch (cause) {
    throw new PbxError('fetch_refused', 'The private network of an allowed host is not a CIDR block.', {
      cause,
    })
  }
}

/** Whether a host of an address is an address itself, as the WHATWG URL parser writes it. */
export function isAddress(hostname: string): boolean {
  return ipaddr.isValid(hostname.replace(/^\[|\]$/g, ''))
}

/**
 * Whether a connection to `text` is allowed. With a network, only addresses inside it are; without one, only global
 * unicast addresses. An IPv4 address inside an IPv6 one is judged as IPv4; other embeddings (NAT64, 6to4, Teredo)
 * are refused, since what they reach is not visible.
 */
export function isReachable(text: string, network: Network | null): boolean {
  if (!ipaddr.isValid(text)) return false
  // A zone (`fe80::1%eth0`) only makes sense for link-local addresses, which are refused anyway.
  if (text.includes('%')) return false
  const address = ipaddr.process(text)
  if (neverReachable.has(address.toString())) return false
  if (network === null) return isGlobalUnicast(address)
  if (!nameableRanges.has(address.range())) return false
  const [base, prefixLength] = network
  return address.kind() === base.kind() && address.match(base, prefixLength)
}

function isGlobalUnicast(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast)
}
