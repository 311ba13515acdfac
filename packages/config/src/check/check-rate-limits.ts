import type { Config } from '../config.ts';
import type { LimitConfig } from '../option/rate-limit.ts';
import type { Complaints } from './rule.ts';

const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 3_600_000;

/** Rules for `client.rate_limit`, also where it is switched off. */
export function* checkRateLimits({ client, channel }: Config): Complaints {
  const path = 'client.rate_limit';
  const { clientCommand, userCommand, clientError } = client.rateLimit;
  const namespaces = new Set(channel.namespaces.map(({ name }) => name));
  yield* checkLimit(`${path}.client_error.total`, clientError.total);
  for (const [name, layer] of [
    ['client_command', clientCommand],
    ['user_command', userCommand],
  ] as const) {
    for (const [command, rule] of Object.entries(layer)) {
      if (typeof rule === 'boolean') continue;
      const place = `${path}.${name}.${command.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
      yield* checkCommand(place, rule, namespaces);
    }
  }
}

interface CommandLimit extends LimitConfig {
  readonly namespaceOverrides?: readonly (LimitConfig & { readonly namespaceName: string })[];
  readonly methodOverrides?: readonly (LimitConfig & { readonly method: string })[];
}

function* checkCommand(path: string, rule: CommandLimit, namespaces: ReadonlySet<string>): Complaints {
  yield* checkLimit(path, rule);
  for (const [index, override] of (rule.namespaceOverrides ?? []).entries()) {
    const place = `${path}.namespace_overrides[${index}]`;
    const { namespaceName } = override;
    if (namespaceName === '') yield `${place}.namespace_name must be set`;
    else if (!namespaces.has(namespaceName)) yield `${place}.namespace_name: there is no namespace ${namespaceName}`;
    yield* checkLimit(place, override);
  }
  for (const [index, override] of (rule.methodOverrides ?? []).entries()) {
    const place = `${path}.method_overrides[${index}]`;
    if (override.method === '') yield `${place}.method must be set`;
    yield* checkLimit(place, override);
  }
}

function* checkLimit(path: string, { buckets }: LimitConfig): Complaints {
  for (const [index, { intervalMs, rate }] of buckets.entries()) {
    const place = `${path}.buckets[${index}]`;
    if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) yield `${place}.interval must be from 1s to 1h`;
    if (rate <= 0) yield `${place}.rate must be above 0`;
  }
}
