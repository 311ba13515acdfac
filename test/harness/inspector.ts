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
  /**
   * Bytes of all that the program itself keeps: objects, closures, strings, arrays. Without code and what V8 knows of code, which
   * grows for hours, and without the contents of buffers. Takes seconds.
   */
  objectBytes(): Promise<number>;
  close(): void;
}

const ANSWER_DEADLINE_MS = 120_000;
const OBJECT_TYPES: ReadonlySet<string> = new Set([
  'object',
  'closure',
  'array',
  'string',
  'concatenated string',
  'sliced string',
  'number',
  'bigint',
  'regexp',
  'symbol',
]);

/** Flags of a process that {@link openInspector} can look into. */
export function inspectFlags(port: number): string[] {
  return [`--inspect=127.0.0.1:${port}`];
}

export async function openInspector(port: number): Promise<Inspector> {
  const targets: unknown = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target: unknown = Array.isArray(targets) ? targets[0] : undefined;
  const socket = new WebSocket(String(fieldOf(target, 'webSocketDebuggerUrl')), { maxPayload: 0 });
  await once(socket, 'open');
  const session = new InspectorSession(socket);
  // What a first collection lets go by finalizers, the second one frees.
  const collect = async (): Promise<void> => {
    for (let time = 0; time < 2; time += 1) await session.call('HeapProfiler.collectGarbage');
  };
  return {
    async collectedHeap() {
      await collect();
      const usage = await session.call('Runtime.getHeapUsage');
      return { usedBytes: Number(fieldOf(usage, 'usedSize')), committedBytes: Number(fieldOf(usage, 'totalSize')) };
    },
    async objectBytes() {
      await collect();
      session.chunks = [];
      await session.call('HeapProfiler.takeHeapSnapshot');
      const snapshot: unknown = JSON.parse(session.chunks.join(''));
      session.chunks = [];
      return objectBytesIn(snapshot);
    },
    close: () => socket.close(),
  };
}

class InspectorSession {
  /** Of the heap snapshot that is being taken. */
  chunks: string[] = [];
  readonly #socket: WebSocket;
  readonly #waiting: Map<unknown, (result: unknown) => void> = new Map();
  #calls = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString())));
  }

  async call(method: string): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    const deadline = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_DEADLINE_MS);
    this.#socket.send(JSON.stringify({ id, method }));
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      this.#waiting.delete(id);
    }
  }

  #receive(message: unknown): void {
    if (fieldOf(message, 'method') === 'HeapProfiler.addHeapSnapshotChunk') {
      this.chunks.push(String(fieldOf(fieldOf(message, 'params'), 'chunk')));
    } else {
      this.#waiting.get(fieldOf(message, 'id'))?.(fieldOf(message, 'result'));
    }
  }
}

function objectBytesIn(snapshot: unknown): number {
  const meta = fieldOf(fieldOf(snapshot, 'snapshot'), 'meta');
  const fields = listOf(fieldOf(meta, 'node_fields'));
  const nodes = listOf(fieldOf(snapshot, 'nodes'));
  const [types, sizes] = [fields.indexOf('type'), fields.indexOf('self_size')];
  const names = listOf(listOf(fieldOf(meta, 'node_types'))[types]);
  let bytes = 0;
  for (let at = 0; at < nodes.length; at += fields.length) {
    const type = names[Number(nodes[at + types])];
    if (OBJECT_TYPES.has(String(type))) bytes += Number(nodes[at + sizes]);
  }
  return bytes;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not a heap snapshot');
  return value;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
