// Run: node --conditions=development packages/cluster/src/memory/memory-broker.bench.ts
import { systemClock } from '@carillon/service-kit';
import { MemoryBroker } from './memory-broker.ts';

const APPENDS = 2_000_000;
const CHANNELS = 10_000;
const data = new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(100) }));
const retention = { historySize: 100, historyTtlMs: 300_000, historyMetaTtlMs: 3_600_000 };

async function measure(title: string, isKeyed: boolean): Promise<void> {
  let delivered = 0;
  const receiver = {
    onPublication: () => {
      delivered += 1;
    },
    onJoin: () => undefined,
    onLeave: () => undefined,
    onPositionLost: () => undefined,
  };
  const broker = new MemoryBroker({ clock: systemClock, receiver });
  const channels = Array.from({ length: CHANNELS }, (_, index) => `news:${index}`);
  for (const channel of channels) await broker.join(channel, { retention });
  const startedAt = performance.now();
  for (let index = 0; index < APPENDS; index += 1) {
    const channel = channels[(index * 7_919) % CHANNELS] ?? '';
    await broker.publish({ channel, data, retention, idempotencyKey: isKeyed ? `key-${index}` : undefined });
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await broker.close();
  console.log(`${title}: ${Math.round(APPENDS / seconds).toLocaleString('en')}/s, ${delivered} delivered`);
}

await measure('appends to 10,000 channels', false);
await measure('appends with an idempotency key', true);
