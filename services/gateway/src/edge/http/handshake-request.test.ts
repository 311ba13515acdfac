import { describe, expect, it } from 'vitest';
import { captureHandshake } from './handshake-request.ts';

const address = (bytes: number[], headers: [string, string][] = [], trustedProxyHops = 0): string =>
  captureHandshake(
    { getRemoteAddress: () => Uint8Array.from(bytes).buffer, getProxiedRemoteAddress: () => new ArrayBuffer(0) },
    { forEach: (each) => headers.forEach(([name, value]) => each(name, value)) },
    { trustedProxyHops, proxyProtocol: false },
  ).remoteAddress;

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const DOCUMENTATION = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

describe('remote address', () => {
  it.each([
    [[192, 0, 2, 7], '192.0.2.7'],
    [[...MAPPED, 192, 0, 2, 7], '192.0.2.7'],
    [DOCUMENTATION, '2001:db8::1'],
    [[], ''],
  ])('of %j is %s', (bytes, expected) => {
    expect(address(bytes)).toBe(expected);
  });

  it.each([
    [0, '192.0.2.7'],
    [1, 'c'],
    [2, 'b'],
    [3, 'a'],
    [9, 'a'],
  ])('behind %i trusted proxies is as many entries from the right', (hops, expected) => {
    const headers: [string, string][] = [
      ['x-forwarded-for', 'a, b'],
      ['other', 'x'],
      ['x-forwarded-for', 'c,'],
    ];
    expect(address([192, 0, 2, 7], headers, hops)).toBe(expected);
  });

  it('is that of the peer when a proxy says nothing', () => {
    expect(address([192, 0, 2, 7], [], 1)).toBe('192.0.2.7');
  });
});

describe('headers', () => {
  it('keep every value in order', () => {
    const { headers } = captureHandshake(
      { getRemoteAddress: () => new ArrayBuffer(4), getProxiedRemoteAddress: () => new ArrayBuffer(4) },
      {
        forEach: (each) => {
          each('a', '1');
          each('b', '2');
          each('a', '3');
        },
      },
      { trustedProxyHops: 0, proxyProtocol: false },
    );
    expect([...headers]).toEqual([
      ['a', ['1', '3']],
      ['b', ['2']],
    ]);
  });
});
