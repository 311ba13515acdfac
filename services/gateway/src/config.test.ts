import { loadConfig } from '@carillon/config';
import { describe, expect, it } from 'vitest';
import type { GatewaySettings } from './command/gateway-settings.ts';
import { channelRules, gatewaySettings, reloadedSettings } from './config.ts';

const settingsOf = (client: object): GatewaySettings => {
  const { config } = loadConfig({ env: {}, path: 'config.json', readFile: () => JSON.stringify({ client }) });
  return gatewaySettings(config, channelRules(config));
};

describe('a reload', () => {
  it('changes permissions, but neither pings nor the limit of channels', () => {
    const before = settingsOf({ ping_interval: '5s', pong_timeout: '2s', channel_limit: 1 });
    const next = settingsOf({
      ping_interval: '9s',
      pong_timeout: '3s',
      channel_limit: 5,
      allow_anonymous_connect_without_token: true,
    });
    expect(reloadedSettings(before, next)).toEqual({
      ...before,
      channels: next.channels,
      limits: next.limits,
      rpc: next.rpc,
      allowAnonymousConnectWithoutToken: true,
    });
  });
});
