import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';

import type { Inspector } from '../harness/inspector.ts';

/** What a process holds. */
export interface Usage {
  readonly rssBytes: number;
  /** Of RSS, what V8 did not take for its heap. */
  readonly nativeBytes: number;
  /** Used on the heap of V8 after full garbage collections, code and all. */
  readonly heapBytes: number;
  /** Open files and sockets. */
  readonly handles: number;
}

const METRICS_DEADLINE_MS = 10_000;

export async function usageOf(pid: number, inspector: Inspector): Promise<Usage> {
  const { usedBytes, committedBytes } = await inspector.collectedHeap();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssBytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  return { rssBytes, nativeBytes: rssBytes - committedBytes, heapBytes: usedBytes, handles: handlesOf(pid) };
}

export function handlesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The sum of each metric over its labels. On a connection of its own, which is gone afterwards: it would count. */
export async function metricsOf(url: string, names: readonly string[]): Promise<number[]> {
  const page = await new Promise<string>((resolve, reject) => {
    const request = get(`${url}/metrics`, { agent: false, timeout: METRICS_DEADLINE_MS }, (response) => {
      text(response).then(resolve, reject);
    });
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error('no metrics in time')));
  });
  const lines = page.split('\n');
  return names.map((name) => {
    const own = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return own.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
  });
}
