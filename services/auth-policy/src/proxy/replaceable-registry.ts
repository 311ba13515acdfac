import type { Clock, TimerHandle } from '@carillon/service-kit';

import type { ProxyRegistry } from './proxy-registry.ts';

/** A registry that can be exchanged for another while questions are asked. */
export interface ReplaceableRegistry extends ProxyRegistry {
  /** New questions find the next one; the one before is closed when nothing can be asking it any more. */
  replace(next: ProxyRegistry): void;
}

export function createReplaceableRegistry(first: ProxyRegistry, clock: Clock): ReplaceableRegistry {
  let current = first;
  const leaving = new Map<ProxyRegistry, TimerHandle>();

  function retire(registry: ProxyRegistry): void {
    const timer = clock.setTimer(registry.maxTimeoutMs, () => {
      leaving.delete(registry);
      void registry.close();
    });
    leaving.set(registry, timer);
  }

  return {
    find: (kind, name) => current.find(kind, name),
    get maxTimeoutMs() {
      return current.maxTimeoutMs;
    },
    replace(next) {
      retire(current);
      current = next;
    },
    async close() {
      for (const timer of leaving.values()) timer.cancel();
      const registries = [current, ...leaving.keys()];
      leaving.clear();
      await Promise.all(registries.map((registry) => registry.close()));
    },
  };
}
