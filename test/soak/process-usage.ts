import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds, from /proc. */
export interface Usage {
  readonly rssBytes: number;
  /** Open files and sockets. */
  readonly handles: number;
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return { rssBytes: kibibytes * 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}

/** A metric without labels, or the sum over its labels. */
export async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}
