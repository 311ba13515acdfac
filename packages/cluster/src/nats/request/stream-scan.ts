// Walks along a stream without a consumer: batches of direct gets, by any replica.
import { OperationalError } from '@carillon/service-kit';
import { isNoResponders } from './reply-inbox.ts';
import type { Requester } from './requester.ts';

export interface ScannedMessage {
  readonly subject: string;
  readonly sequence: number;
}

/** Where to begin: at a sequence, or at the first message of a time, ms since 1970. */
export type ScanStart = { readonly sequence: number } | { readonly timeMs: number };

export interface StreamScanDependencies {
  readonly requester: Requester;
  readonly deadlineMs: number;
}

/** All of it rejects with an OperationalError. */
export class StreamScan {
  readonly #requester: Requester;
  readonly #deadlineMs: number;

  constructor({ requester, deadlineMs }: StreamScanDependencies) {
    this.#requester = requester;
    this.#deadlineMs = deadlineMs;
  }

  /** The next messages in order of sequence; fewer than `count` at the end of the stream. */
  async read(stream: string, start: ScanStart, count: number): Promise<ScannedMessage[]> {
    const from = 'sequence' in start ? { seq: start.sequence } : { start_time: new Date(start.timeMs).toISOString() };
    const payload = Buffer.from(JSON.stringify({ ...from, next_by_subj: '>', batch: count }));
    const found: ScannedMessage[] = [];
    const request = { subject: `$JS.API.DIRECT.GET.${stream}`, payload, deadlineMs: this.#deadlineMs };
    await this.#requester.collect(request, (message) => {
      if (message.data.length === 0) {
        const code = message.headers?.code ?? 0;
        if (code === 204 || code === 404) return 'last';
        throw new OperationalError('nats_read', `NATS refused a read of ${stream}: ${code}`);
      }
      const sequence = Number(message.headers?.get('Nats-Sequence') ?? 0);
      found.push({ subject: message.headers?.get('Nats-Subject') ?? '', sequence });
      return 'more';
    });
    return found;
  }

  /** When the newest message was stored, ms since 1970; undefined: there is none. */
  async lastTimeMs(stream: string): Promise<number | undefined> {
    const subject = `$JS.API.STREAM.INFO.${stream}`;
    const reply = await this.#requester.request({ subject, payload: new Uint8Array(), deadlineMs: this.#deadlineMs });
    if (isNoResponders(reply)) throw new OperationalError('nats_no_stream', `nobody answers for ${stream}`);
    const { state } = JSON.parse(reply.string()) as { state?: { messages?: number; last_ts?: string } };
    if (state?.last_ts === undefined || (state.messages ?? 0) === 0) return undefined;
    return Date.parse(state.last_ts);
  }
}
