import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { InvalidPayload } from '../wire/raw-json.ts';
import { proxyMethods } from './proxy-methods.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const common = { client: '9336a229', transport: 'websocket', protocol: 'json', encoding: 'json' };

describe('proxy requests', () => {
  it('have the shapes of proxy.md §7', () => {
    expect(text(proxyMethods.connect.request.writeJson(common))).toBe(
      '{"client":"9336a229","transport":"websocket","protocol":"json","encoding":"json"}',
    );
    expect(text(proxyMethods.refresh.request.writeJson({ ...common, user: '56' }))).toBe(
      '{"client":"9336a229","transport":"websocket","protocol":"json","encoding":"json","user":"56"}',
    );
  });

  it('always name the user, but in map events', () => {
    for (const name of ['refresh', 'subscribe', 'publish', 'rpc', 'subRefresh'] as const) {
      expect(text(proxyMethods[name].request.writeJson({}))).toBe('{"user":""}');
    }
    expect(text(proxyMethods.mapPublish.request.writeJson({}))).toBe('{}');
    expect(text(proxyMethods.mapRemove.request.writeJson({}))).toBe('{}');
  });

  it('cannot carry a payload that is not JSON', () => {
    expect(() => proxyMethods.publish.request.writeJson({ data: bytes('binary') })).toThrow(InvalidPayload);
  });
});

describe('proxy replies', () => {
  it('are read as proxy.md §7 shows them', () => {
    const { readJson } = proxyMethods.connect.response;
    expect(readJson(bytes('{"result":{"user":"56","expire_at":1893456000,"channels":["news"]}}'))).toEqual({
      result: { user: '56', expireAt: 1893456000, channels: ['news'] },
    });
    expect(readJson(bytes('{"error":{"code":1000,"message":"custom","temporary":false}}'))).toEqual({
      error: { code: 1000, message: 'custom' },
    });
    expect(readJson(bytes('{"disconnect":{"code":4500,"reason":"banned","reconnect":true}}'))).toEqual({
      disconnect: { code: 4500, reason: 'banned' },
    });
    expect(readJson(bytes('{"result":{}}'))).toEqual({ result: {} });
    expect(readJson(bytes('{"result":null}'))).toEqual({});
    expect(readJson(bytes('{}'))).toEqual({});
  });

  it('tell an override that is false from one that is absent', () => {
    const { result } = proxyMethods.subscribe.response.readJson(
      bytes('{"result":{"override":{"presence":{"value":false},"join_leave":{"value":true}}}}'),
    );
    expect(result?.override?.presence).toEqual({});
    expect(result?.override?.joinLeave).toEqual({ value: true });
    expect(result?.override?.forceRecovery).toBeUndefined();
  });

  it('that are not JSON are violations', () => {
    expect(() => proxyMethods.rpc.response.readJson(bytes('<html>'))).toThrow(ProtocolViolation);
    expect(() => proxyMethods.rpc.response.readJson(bytes(''))).toThrow(ProtocolViolation);
  });
});
