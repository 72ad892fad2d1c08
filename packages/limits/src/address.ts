// Whose bucket a remote address belongs to: everybody behind it who can change it at will shares one.
import { isIPv6 } from 'node:net'

const groupBits = 16
const networkGroups = 4
const allGroups = 8

/** An IPv4 address is itself; of IPv6 the first 64 bits count, since the rest is for its owner to choose. */
export function addressGroup(address: string | null): string {
  if (address === null) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [plain = ''] = address.split('%')
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? 0 : allGroups - before.length - after.length
  const groups = [...before, ...Array.from({ length: Math.max(0, middle) }, () => '0'), ...after]
  const network = groups
    .slice(0, networkGroups)
    .map(group => Number.parseInt(group, groupBits).toString(groupBits))
  return `${network.join(':')}::/64`
}
