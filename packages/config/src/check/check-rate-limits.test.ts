import { describe, expect, test } from 'vitest';
import { loadValue } from '../load-fixture.ts';

const good = { enabled: true, buckets: [{ interval: '1s', rate: 10 }] };
const load = (rate_limit: object) => loadValue({ client: { rate_limit }, channel: { namespaces: [{ name: 'chat' }] } });

describe('client.rate_limit', () => {
  test('limits of commands, namespaces, methods and errors are read', () => {
    const { config, warnings } = load({
      client_command: {
        enabled: true,
        total: { enabled: true, buckets: [{ interval: '1m', rate: 100 }] },
        publish: { ...good, namespace_overrides: [{ namespace_name: 'chat', ...good }] },
        presence_stats: good,
        rpc: { enabled: true, method_overrides: [{ method: 'slow', ...good }] },
      },
      user_command: { enabled: true, connect: good },
      client_error: { enabled: true, total: good },
    });
    expect(warnings).toEqual([]);
    const { clientCommand, userCommand, clientError } = config.client.rateLimit;
    const bucket = { intervalMs: 1_000, rate: 10 };
    expect(clientCommand.total).toEqual({ enabled: true, buckets: [{ intervalMs: 60_000, rate: 100 }] });
    expect(clientCommand.publish.namespaceOverrides).toEqual([
      { namespaceName: 'chat', enabled: true, buckets: [bucket] },
    ]);
    expect(clientCommand.rpc.methodOverrides).toEqual([{ method: 'slow', enabled: true, buckets: [bucket] }]);
    expect(clientCommand.presenceStats.buckets).toEqual([bucket]);
    expect(clientCommand.default).toEqual({ enabled: false, buckets: [] });
    expect(userCommand.connect.buckets).toEqual([bucket]);
    expect(clientError.total.buckets).toEqual([bucket]);
  });

  test.each([
    [{ client_command: { total: { buckets: [{ rate: 1 }] } } }, 'client_command.total.buckets[0].interval must be'],
    [
      { client_command: { sub_refresh: { buckets: [{ interval: '2h', rate: 1 }] } } },
      'sub_refresh.buckets[0].interval',
    ],
    [{ user_command: { connect: { buckets: [{ interval: '1s' }] } } }, 'user_command.connect.buckets[0].rate must be'],
    [{ client_error: { total: { buckets: [{ interval: '1s', rate: -1 }] } } }, 'client_error.total.buckets[0].rate'],
    [{ client_command: { publish: { namespace_overrides: [good] } } }, 'namespace_overrides[0].namespace_name must be'],
    [
      { client_command: { publish: { namespace_overrides: [{ ...good, namespace_name: 'x' }] } } },
      'there is no namespace x',
    ],
    [{ client_command: { rpc: { method_overrides: [good] } } }, 'rpc.method_overrides[0].method must be set'],
  ])('%j is refused', (limits, complaint) => {
    expect(() => load(limits)).toThrow(complaint);
  });
});
