import type { TestNats } from '@carillon/dev-tools/test-nats';

interface StreamState {
  readonly name: string;
  readonly cluster?: { readonly leader?: string };
}

interface JetStreamState {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamState[] }[];
}

const PROBE_TIMEOUT_MS = 2_000;

/** The server that leads a stream now, or undefined while there is none. */
export async function leaderOf(servers: readonly TestNats[], stream: string): Promise<TestNats | undefined> {
  for (const { isRunning, monitorUrl } of servers) {
    if (!isRunning) continue;
    const response = await fetch(`${monitorUrl}/jsz?accounts=1&streams=1`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const { account_details: accounts = [] } = (await response.json()) as JetStreamState;
    const streams = accounts.flatMap((account) => account.stream_detail ?? []);
    const leader = streams.find(({ name }) => name === stream)?.cluster?.leader;
    const index = /^n(\d+)$/.exec(leader ?? '')?.[1];
    if (index !== undefined) return servers[Number(index)];
  }
  return undefined;
}

/** Connections of a server to the others of its cluster. */
export async function numRoutes({ monitorUrl }: TestNats): Promise<number> {
  const response = await fetch(`${monitorUrl}/routez`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  const { num_routes: count } = (await response.json()) as { readonly num_routes: number };
  return count;
}
