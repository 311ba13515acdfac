import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { LoadClientSettings } from './load-client.ts';

const TICKS_PER_SECOND = 100;
const CLIENT_PROCESSES = 2;
const PUBLISH_CONNECTIONS = 16;
const SETTLE_DEADLINE_MS = 10_000;

export interface Measurement {
  readonly publications: number;
  readonly deliveries: number;
  readonly expected: number;
  readonly seconds: number;
  readonly cpuMicrosPerDelivery: number;
}

export interface PublishRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server with its subscribers, who live in processes of their own. */
export class ServerUnderLoad {
  readonly #pid: number;
  readonly #settings: LoadClientSettings;
  readonly #publish: PublishRequest;
  readonly #clients: ChildProcess[] = [];
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: PUBLISH_CONNECTIONS });

  constructor(pid: number, settings: LoadClientSettings, publish: PublishRequest) {
    this.#pid = pid;
    this.#settings = settings;
    this.#publish = publish;
  }

  async subscribeAll(): Promise<void> {
    const subscribers = this.#settings.subscribers / CLIENT_PROCESSES;
    for (let n = 0; n < CLIENT_PROCESSES; n += 1) {
      const client = fork(new URL('./load-client.ts', import.meta.url), { execArgv: process.execArgv });
      this.#clients.push(client);
      await ask(client, { ...this.#settings, subscribers });
    }
  }

  /** So many publications a second, evenly. */
  paced(perSecond: number, seconds: number): Promise<Measurement> {
    return this.#measure(async () => {
      const startedAt = performance.now();
      const total = perSecond * seconds;
      for (let n = 0; n < total; n += 1) {
        await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
        await this.#publishOne();
      }
      return total;
    });
  }

  /** As many as the subscribers take, with at most `window` publications on the way to them. */
  saturated(window: number, seconds: number): Promise<Measurement> {
    return this.#measure(async (before) => {
      const until = performance.now() + seconds * 1000;
      let published = 0;
      let delivered = 0;
      const publisher = async (): Promise<void> => {
        while (performance.now() < until) {
          if (published - delivered / this.#settings.subscribers >= window) {
            await sleep(1);
            continue;
          }
          published += 1;
          await this.#publishOne();
        }
      };
      const publishers = Array.from({ length: PUBLISH_CONNECTIONS }, publisher);
      while (performance.now() < until) {
        delivered = (await this.#count()) - before;
        await sleep(2);
      }
      await Promise.all(publishers);
      return published;
    });
  }

  stop(): void {
    for (const client of this.#clients) client.kill();
    this.#agent.destroy();
  }

  async #measure(work: (before: number) => Promise<number>): Promise<Measurement> {
    const before = await this.#count();
    const cpuBefore = cpuMicros(this.#pid);
    const startedAt = performance.now();
    const publications = await work(before);
    const expected = publications * this.#settings.subscribers;
    const giveUpAt = performance.now() + SETTLE_DEADLINE_MS;
    let deliveries = (await this.#count()) - before;
    while (deliveries < expected && performance.now() < giveUpAt) {
      await sleep(20);
      deliveries = (await this.#count()) - before;
    }
    const cpu = cpuMicros(this.#pid) - cpuBefore;
    const seconds = (performance.now() - startedAt) / 1000;
    return { publications, deliveries, expected, seconds, cpuMicrosPerDelivery: cpu / deliveries };
  }

  async #count(): Promise<number> {
    const counts = await Promise.all(this.#clients.map((client) => ask(client, 'count')));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #publishOne(): Promise<void> {
    const { path, headers, body } = this.#publish;
    return new Promise((resolve, reject) => {
      const options = {
        port: this.#settings.port,
        host: '127.0.0.1',
        method: 'POST',
        path,
        headers,
        agent: this.#agent,
      };
      const sent = request(options, (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`publish answered ${response.statusCode}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

/** User and system time of a process. The kernel counts in hundredths of a second: measure for seconds. */
function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

function ask(client: ChildProcess, message: LoadClientSettings | 'count'): Promise<number> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('a load client ended'));
    client.once('exit', onExit);
    client.once('message', (reply) => {
      client.off('exit', onExit);
      resolve(Number(reply));
    });
    client.send(message);
  });
}
