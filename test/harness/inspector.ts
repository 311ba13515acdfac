import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface HeapUsage {
  readonly usedBytes: number;
  /** Taken from the system: used, and free or torn pages between. */
  readonly committedBytes: number;
}

/** What V8 of another process says of its memory. The process was started with `--inspect`. */
export interface Inspector {
  /** Its heap after full garbage collections. */
  collectedHeap(): Promise<HeapUsage>;
  close(): void;
}

const ANSWER_DEADLINE_MS = 60_000;

/** Flags of a process that {@link openInspector} can look into. */
export function inspectFlags(port: number): string[] {
  return [`--inspect=127.0.0.1:${port}`];
}

export async function openInspector(port: number): Promise<Inspector> {
  const targets: unknown = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target: unknown = Array.isArray(targets) ? targets[0] : undefined;
  const socket = new WebSocket(String(fieldOf(target, 'webSocketDebuggerUrl')), { maxPayload: 0 });
  await once(socket, 'open');
  let id = 0;
  const call = async (method: string): Promise<unknown> => {
    id += 1;
    socket.send(JSON.stringify({ id, method }));
    const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
    return fieldOf(JSON.parse(String(data)), 'result');
  };
  return {
    async collectedHeap() {
      // What a first collection lets go by finalizers, the second one frees.
      await call('HeapProfiler.collectGarbage');
      await call('HeapProfiler.collectGarbage');
      const usage = await call('Runtime.getHeapUsage');
      return { usedBytes: Number(fieldOf(usage, 'usedSize')), committedBytes: Number(fieldOf(usage, 'totalSize')) };
    },
    close: () => socket.close(),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
