import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

import { within } from '../harness/eventually.ts';

/** A headless Chromium with a profile of its own, driven by its DevTools protocol. */
export interface Browser {
  /** Opens a page and settles when it is loaded. */
  open(url: string): Promise<Page>;
  stop(): Promise<void>;
}

export interface Page {
  /** Runs a script in the page and gives the JSON value it comes to; a promise is awaited. Throws what it throws. */
  run(script: string): Promise<unknown>;
}

const START_DEADLINE_MS = 60_000;
const CALL_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;

// What makes a browser quiet: nothing but what the page asks for goes over the network.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-port=0',
];

/** `CHROMIUM` names the program; `npm run test:browser` sets it. */
export async function startBrowser(): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-browser-'));
  const program = process.env['CHROMIUM'] ?? 'chromium';
  const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: a browser is many processes, which end together.
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    endGroup(child);
    await within(exited, STOP_DEADLINE_MS, 'the end of the browser');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const devTools = await DevTools.connect(await within(addressOf(child), START_DEADLINE_MS, 'the browser'));
    return {
      open: (url) => openPage(devTools, url),
      async stop() {
        devTools.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** What the browser writes first: where its DevTools listen. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the browser ended with ${code}:\n${text.slice(-2_000)}`)));
  });
}

async function openPage(devTools: DevTools, url: string): Promise<Page> {
  const { targetId } = await devTools.call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await devTools.call('Target.attachToTarget', { targetId, flatten: true });
  const session = String(sessionId);
  await devTools.call('Page.enable', {}, session);
  const loaded = devTools.next('Page.loadEventFired', session);
  await devTools.call('Page.navigate', { url }, session);
  await within(loaded, CALL_DEADLINE_MS, `load ${url}`);
  return {
    async run(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await devTools.call('Runtime.evaluate', params, session);
      if (exceptionDetails !== undefined) throw new Error(`the page threw: ${JSON.stringify(exceptionDetails)}`);
      return (result as { readonly value?: unknown }).value;
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

/** The DevTools protocol: calls with answers, and events. */
class DevTools {
  readonly #socket: WebSocket;
  readonly #calls: Map<number, (answer: Answer) => void> = new Map();
  readonly #events: Map<string, () => void> = new Map();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      if (answer.id !== undefined) this.#calls.get(answer.id)?.(answer);
      else this.#events.get(`${answer.sessionId} ${answer.method}`)?.();
    });
  }

  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new DevTools(socket);
  }

  async call(method: string, params: Fields, sessionId?: string): Promise<Fields> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Answer>((resolve) => {
      this.#calls.set(id, resolve);
    });
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    try {
      const { result, error } = await within(answered, CALL_DEADLINE_MS, method);
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result ?? {};
    } finally {
      this.#calls.delete(id);
    }
  }

  next(method: string, sessionId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#events.set(`${sessionId} ${method}`, resolve);
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
