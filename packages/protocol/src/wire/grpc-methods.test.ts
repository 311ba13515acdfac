import { describe, expect, it } from 'vitest';
import { apiGrpcMethods } from '../api/api-methods.ts';
import { uniStreamMethods } from '../client/client-messages.ts';
import { policyMethods } from '../cluster/policy-methods.ts';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { proxyGrpcMethods } from '../proxy/proxy-methods.ts';

describe('gRPC methods', () => {
  it('have the paths of the specification', () => {
    expect(apiGrpcMethods.rpc.path).toBe('/centrifugal.centrifugo.api.CentrifugoApi/RPC');
    expect(apiGrpcMethods.presenceStats.path).toBe('/centrifugal.centrifugo.api.CentrifugoApi/PresenceStats');
    expect(proxyGrpcMethods.rpc.path).toBe('/centrifugal.centrifugo.proxy.CentrifugoProxy/RPC');
    expect(uniStreamMethods.consume.path).toBe('/centrifugal.centrifugo.unistream.CentrifugoUniStream/Consume');
    expect(policyMethods.decide.path).toBe('/carillon.cluster.PolicyService/Decide');
  });

  it('say which sides stream', () => {
    const streams = (method: { requestStream: boolean; responseStream: boolean }): boolean[] => [
      method.requestStream,
      method.responseStream,
    ];
    expect(streams(apiGrpcMethods.publish)).toEqual([false, false]);
    expect(streams(uniStreamMethods.consume)).toEqual([false, true]);
    expect(streams(proxyGrpcMethods.subscribeUnidirectional)).toEqual([false, true]);
    expect(streams(proxyGrpcMethods.subscribeBidirectional)).toEqual([true, true]);
    expect(streams(policyMethods.decide)).toEqual([true, true]);
  });

  it('carry plain messages in both directions', () => {
    const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } = policyMethods.decide;
    const request = {
      id: 7,
      publish: {
        context: { headers: { cookie: { values: ['a', 'b'] } }, emulatedHeaders: { x: '1' }, deadlineMs: 1000 },
        request: { client: 'c', user: 'u', channel: 'news', data: Uint8Array.of(1, 2) },
      },
    };
    expect(requestDeserialize(requestSerialize(request))).toEqual(request);
    const reply = { id: 7, publish: { error: { code: 100, message: 'internal server error', temporary: true } } };
    expect(responseDeserialize(responseSerialize(reply))).toEqual(reply);
    expect(responseDeserialize(responseSerialize({ id: 7, rpc: { none: {} } }))).toEqual({ id: 7, rpc: { none: {} } });
  });

  it('refuse malformed messages', () => {
    expect(() => apiGrpcMethods.publish.requestDeserialize(Buffer.from([0x0a, 0xff]))).toThrow(ProtocolViolation);
  });
});
