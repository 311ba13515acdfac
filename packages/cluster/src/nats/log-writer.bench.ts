// Run: node --conditions=development packages/cluster/src/nats/log-writer.bench.ts [appends] [in flight] [channels]
// Appends to random channels on a NATS server of its own; prints the rate and the CPU of both ends.
import { readFile } from 'node:fs/promises';
import { startNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock } from '@carillon/service-kit';
import { createNatsBroker } from './nats-broker.ts';
import { connectNats } from './nats-connection.ts';

const [numAppends = 200_000, numInFlight = 512, numChannels = 1_000] = process.argv.slice(2).map(Number);
const TICKS_PER_SECOND = 100;

const server = await startNats({ exclusive: true });
const log = createSilentLog();
const connection = await connectNats({ url: server.url, prefix: 'bench', log });
const receiver = {
  onPublication: () => undefined,
  onJoin: () => undefined,
  onLeave: () => undefined,
  onPositionLost: () => undefined,
};
const broker = await createNatsBroker({
  connection,
  receiver,
  clock: systemClock,
  log,
  nodes: () => [],
  nodeId: 'bench',
  options: { role: 'owner' },
});
const data = new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(100) }));
const retention = { historySize: 100, historyTtlMs: 300_000, historyMetaTtlMs: 3_600_000 };

await run(numChannels * 2);
const clientBefore = process.cpuUsage();
const serverBefore = await serverCpuSeconds();
const startedAt = performance.now();
await run(numAppends);
const seconds = (performance.now() - startedAt) / 1_000;
const client = process.cpuUsage(clientBefore);
const serverMicros = ((await serverCpuSeconds()) - serverBefore) * 1e6;
const perAppend = (micros: number): string => (micros / numAppends).toFixed(1);
console.log(`${numAppends} appends, ${numChannels} channels, ${numInFlight} in flight, ${data.length} bytes`);
console.log(`${Math.round(numAppends / seconds).toLocaleString('en')} appends/s`);
console.log(`client ${perAppend(client.user + client.system)} µs CPU per append`);
console.log(`server ${perAppend(serverMicros)} µs CPU per append, the top streams included`);
await broker.close();
await connection.close();
await server.stop();

async function run(count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await broker.publish({ channel: `news:${Math.floor(Math.random() * numChannels)}`, data, retention });
    }
  };
  await Promise.all(Array.from({ length: numInFlight }, worker));
}

/** User and system time of the server so far. */
async function serverCpuSeconds(): Promise<number> {
  const stat = await readFile(`/proc/${server.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
