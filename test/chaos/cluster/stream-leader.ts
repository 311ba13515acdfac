import type { TestNats } from '@carillon/dev-tools/test-nats';

interface StreamState {
  readonly name: string;
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly Replica[] };
}

/** As the leader of a stream sees it. */
interface Replica {
  readonly current: boolean;
  /** Entries that it lacks. */
  readonly lag?: number;
}

interface JetStreamState {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamState[] }[];
}

const PROBE_TIMEOUT_MS = 2_000;

/** The server that leads a stream now, or undefined while there is none. */
export async function leaderOf(servers: readonly TestNats[], stream: string): Promise<TestNats | undefined> {
  for (const { isRunning, monitorUrl } of servers) {
    if (!isRunning) continue;
    const leader = (await streamsOf(monitorUrl)).find(({ name }) => name === stream)?.cluster?.leader;
    const index = /^n(\d+)$/.exec(leader ?? '')?.[1];
    if (index !== undefined) return servers[Number(index)];
  }
  return undefined;
}

/** Whether every stream has a leader, and its replicas have all that it has. Until then reads may be of an earlier state. */
export async function areReplicasCurrent(servers: readonly TestNats[]): Promise<boolean> {
  const states = await Promise.all(servers.map(({ monitorUrl }) => streamsOf(monitorUrl)));
  const names = new Set(states.flat().map(({ name }) => name));
  const isCurrent = ({ current, lag = 0 }: Replica): boolean => current && lag === 0;
  const whole = states.flatMap((streams, index) =>
    streams.filter(({ cluster }) => cluster?.leader === `n${index}` && cluster.replicas?.every(isCurrent) === true),
  );
  return new Set(whole.map(({ name }) => name)).size === names.size;
}

async function streamsOf(monitorUrl: string): Promise<StreamState[]> {
  const response = await fetch(`${monitorUrl}/jsz?accounts=1&streams=1`, {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  const { account_details: accounts = [] } = (await response.json()) as JetStreamState;
  return accounts.flatMap((account) => account.stream_detail ?? []);
}

/** Connections of a server to the others of its cluster. */
export async function numRoutes({ monitorUrl }: TestNats): Promise<number> {
  const response = await fetch(`${monitorUrl}/routez`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  const { num_routes: count } = (await response.json()) as { readonly num_routes: number };
  return count;
}
