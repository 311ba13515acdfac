import type { Clock } from '@carillon/service-kit';
import type { ClusterEngine, CreateEngine } from '../engine.ts';
import type { NodeIdentity } from '../node-identity.ts';
import { MemoryBans } from './memory-bans.ts';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryControl } from './memory-control.ts';
import { MemoryPresence } from './memory-presence.ts';
import { MemoryUserStatus } from './memory-user-status.ts';

/** The engine of a single process: fast, and gone with it. */
export function memoryEngine({ clock, node }: { readonly clock: Clock; readonly node: NodeIdentity }): CreateEngine {
  return async ({ receiver, handler }): Promise<ClusterEngine> => {
    const broker = new MemoryBroker({ clock, receiver });
    const presence = new MemoryPresence();
    const control = new MemoryControl({ clock, node, handler });
    const bans = new MemoryBans({ clock });
    const userStatus = new MemoryUserStatus({ clock });
    return {
      broker,
      presence,
      control,
      bans,
      userStatus,
      unavailable: () => undefined,
      async close() {
        await control.close();
        await bans.close();
        await userStatus.close();
        await broker.close();
        await presence.close();
      },
    };
  };
}
