import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PbxError } from './error.ts'
import { isReachable, parseNetwork } from './remote-address.ts'
import { resolveTarget } from './remote-target.ts'

const allowedHosts = [
  { origin: 'https://media.example.org', privateCidr: null },
  { origin: 'https://pbx.example.org:8443', privateCidr: null },
  { origin: 'http://pbx.lan:8080', privateCidr: '10.1.0.0/16' },
  { origin: 'http://10.1.2.3', privateCidr: '10.1.2.3/32' },
  { origin: 'https://10.9.9.9', privateCidr: null },
  { origin: 'not an origin', privateCidr: null },
  { origin: 'file:///', privateCidr: null },
]

const refused = (error: unknown) =>
  error instanceof PbxError && error.code === 'fetch_refused' && !error.transient

describe('resolveTarget', () => {
  it('lets through exactly the named origins', () => {
    const urls = [
      'https://media.example.org/a.wav?x=1#y',
      'https://MEDIA.example.org:443/a.wav',
      'https://pbx.example.org:8443/a.wav',
      'http://pbx.lan:8080/a.wav',
      'http://10.1.2.3/a.wav',
      // The same address, as the one URL parser reads it.
      'http://0x0a010203/a.wav',
      'http://167838211/a.wav',
    ]
    for (const url of urls)
      assert.ok(resolveTarget(url, allowedHosts, null).url.pathname.endsWith('.wav'), url)
    assert.equal(resolveTarget('https://media.example.org/', allowedHosts, null).network, null)
    assert.notEqual(resolveTarget('http://pbx.lan:8080/', allowedHosts, null).network, null)
  })

  it('refuses everything that only looks like one', () => {
    const urls = [
      '',
      'a.wav',
      '//media.example.org/a.wav',
      'http://media.example.org/a.wav',
      'https://media.example.org:8443/a.wav',
      'https://media.example.org./a.wav',
      'https://media.example.org.evil.example/a.wav',
      'https://evilmedia.example.org/a.wav',
      'https://sub.media.example.org/a.wav',
      'https://evil.example/https://media.example.org/a.wav',
      'https://evil.example\\@media.example.org/a.wav',
      'https://media.example.org@evil.example/a.wav',
      'https://media.example.org%40evil.example/a.wav',
      'https://user@media.example.org/a.wav',
      'https://user:secret@media.example.org/a.wav',
      'https://:secret@media.example.org/a.wav',
      'https://media.example.org\u3002evil.example/a.wav',
      'ftp://media.example.org/a.wav',
      'file:///etc/passwd',
      'data:audio/wav;base64,AAAA',
      'javascript:1',
      'blob:https://media.example.org/a',
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://2130706433/',
      'https://0177.0.0.1/',
      'https://0x7f.1/',
      'https://169.254.169.254/latest/meta-data/',
      'https://10.9.9.9/a.wav',
      'http://10.1.2.4/a.wav',
      `https://media.example.org/${'a'.repeat(2048)}`,
    ]
    for (const url of urls) assert.throws(() => resolveTarget(url, allowedHosts, null), refused, url)
  })

  it('reads a redirect against where it came from, never down to http', () => {
    const base = new URL('https://media.example.org/one/two')
    assert.equal(resolveTarget('../three', allowedHosts, base).url.href, 'https://media.example.org/three')
    assert.equal(
      resolveTarget('//pbx.example.org:8443/x', allowedHosts, base).url.host,
      'pbx.example.org:8443',
    )
    for (const location of [
      'http://pbx.lan:8080/',
      '//evil.example/',
      'https://a:b@media.example.org/',
      'file:///x',
    ]) {
      assert.throws(() => resolveTarget(location, allowedHosts, base), refused, location)
    }
  })

  it('never says more than that it refuses, at arbitrary text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), text => {
        assert.throws(
          () => resolveTarget(text, allowedHosts, null),
          error => {
            assert.ok(refused(error))
            return text.length < 8 || !(error instanceof Error && error.message.includes(text))
          },
        )
      }),
    )
  })
})

describe('isReachable', () => {
  it('without a network: global unicast and nothing else', () => {
    for (const address of ['8.8.8.8', '93.184.216.34', '2606:2800:220:1::1', '::ffff:8.8.8.8']) {
      assert.ok(isReachable(address, null), address)
    }
    const refusedAddresses = [
      '',
      'localhost',
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.192',
      '192.0.2.1',
      '192.168.0.1',
      '198.18.0.1',
      '203.0.113.9',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '168.63.129.16',
      '100.100.100.200',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:a9fe:a9fe',
      '0:0:0:0:0:ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::a00:1',
      '2002:7f00:1::',
      '2001:0:1::1',
      '2001:db8::1',
      '3fff::1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      '100::1',
      '5f00::1',
      '4000::1',
    ]
    for (const address of refusedAddresses) assert.ok(!isReachable(address, null), address)
  })

  it('with a network: inside it and nothing else, and never link-local or a metadata service', () => {
    const lan = parseNetwork('10.1.0.0/16')
    assert.ok(isReachable('10.1.2.3', lan))
    assert.ok(isReachable('::ffff:10.1.2.3', lan))
    for (const address of ['10.2.0.1', '8.8.8.8', '127.0.0.1', '::1', 'fd00::1'])
      assert.ok(!isReachable(address, lan), address)
    const everything = [parseNetwork('0.0.0.0/0'), parseNetwork('::/0')]
    for (const address of [
      '169.254.169.254',
      'fe80::1',
      'fd00:ec2::254',
      'fd20:ce::254',
      '0.0.0.0',
      '::',
      '100.100.100.200',
      '224.0.0.1',
    ]) {
      for (const network of everything) assert.ok(!isReachable(address, network), address)
    }
    assert.ok(isReachable('fd12::1', parseNetwork('fd12::/64')))
    assert.throws(() => parseNetwork('10.0.0.1'), refused)
    assert.throws(() => parseNetwork('ten'), refused)
  })

  it('judges a mapped address as the address in it', () => {
    fc.assert(
      fc.property(fc.ipV4(), address =>
        assert.equal(isReachable(address, null), isReachable(`::ffff:${address}`, null)),
      ),
    )
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6()), text => typeof isReachable(text, null) === 'boolean'),
    )
  })
})
