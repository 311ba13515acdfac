// What every scenario takes from the environment: k6 run -e NAME=value. docs/load-testing.md lists them.

const url = (__ENV.URL || 'http://localhost:8000').replace(/\/$/, '');

export const API_URL = __ENV.API_URL || url;
/** Of every gateway that is named: a load balancer is one. Connections take any of them, also when they come back. */
export const SOCKET_URLS = (__ENV.GATEWAY_URL || url)
  .split(',')
  .map((gateway) => `${gateway.trim().replace(/\/$/, '').replace(/^http/, 'ws')}/connection/websocket`);
export const API_KEY = __ENV.API_KEY || 'carillon-dev-key';
export const TOKEN_SECRET = __ENV.TOKEN_SECRET || 'carillon-dev-secret';
/** Namespaces: one with history, recovery and presence; one (or none) without history. */
export const HISTORY_NAMESPACE = __ENV.HISTORY_NAMESPACE || 'chat';
/** Names of channels of this run: runs one after the other do not read each other's history. */
export const RUN = __ENV.RUN || 'run';

/** A number of the environment, or its default. */
export function number(name, byDefault) {
  const value = Number(__ENV[name] || byDefault);
  if (!(value >= 0)) throw new Error(`${name} is not a number: ${__ENV[name]}`);
  return value;
}

export const DURATION_S = number('DURATION_S', 30);
/** Time for all subscribers to be there before anything is published. */
export const WARMUP_S = number('WARMUP_S', 5);
/** Time for the last publications to arrive. */
export const SETTLE_S = number('SETTLE_S', 10);
/** Largest p95 of the time from publish to delivery, and of an API call, in milliseconds. */
export const MAX_DELIVERY_MS = number('MAX_DELIVERY_MS', 250);
export const MAX_API_MS = number('MAX_API_MS', 250);
/** The same where a connection may be away for a while, or the machine of k6 is busy with publishing. */
export const MAX_LATE_DELIVERY_MS = number('MAX_LATE_DELIVERY_MS', 2000);

export const channelOf = (name) => `${HISTORY_NAMESPACE}:load-${RUN}-${name}`;
