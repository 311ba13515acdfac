import http from 'k6/http';

import { API_KEY, API_URL } from './settings.js';
import { published, publishFailures } from './metrics.js';

const MAX_ATTEMPTS = 3;
const params = (kind) => ({
  headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
  tags: { kind },
  timeout: '10s',
});

/** Calls a method of the server API; undefined when it gave no result. */
export function call(method, body) {
  const response = http.post(`${API_URL}/api/${method}`, JSON.stringify(body), params(method));
  if (response.status !== 200) return undefined;
  return response.json('result') || undefined;
}

/**
 * Publishes `{vu, seq, at}`: who, the how manieth of it, when. With the three every subscriber of every virtual user can tell
 * lost, doubled and late publications. Repeated under one idempotency key, so that a repeat is not a second publication.
 */
export function publish(channel, publisher, seq, padding) {
  const data = { vu: publisher, seq, at: Date.now() };
  if (padding) data.padding = padding;
  const body = { channel, data, idempotency_key: `${publisher}/${seq}` };
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const result = call('publish', body);
    if (result !== undefined) {
      published.add(1);
      return result;
    }
  }
  publishFailures.add(1);
  return undefined;
}
