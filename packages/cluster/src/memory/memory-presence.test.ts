import { presenceContract } from '../contract/presence.contract.ts';
import { MemoryPresence } from './memory-presence.ts';

presenceContract('memory', async () => {
  const presence = new MemoryPresence();
  return { nodes: [presence], close: () => presence.close() };
});
