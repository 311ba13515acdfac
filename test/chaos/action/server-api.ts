import { API_KEY } from '../../harness/deployment.ts';
import type { Publication } from '../client/wire.ts';
import { tagOf } from '../model/payload.ts';
import type { HistoryAnswer } from '../model/reference-log.ts';

interface ApiError {
  readonly code: number;
  readonly message: string;
}

interface PublishReply {
  readonly error?: ApiError;
  readonly result?: { readonly offset?: number; readonly epoch?: string };
}

interface HistoryReply {
  readonly error?: ApiError;
  readonly result?: {
    readonly publications: readonly { readonly data: unknown; readonly offset?: number }[];
    readonly epoch: string;
    readonly offset?: number;
  };
}

/** What became of one publish: where it is, or that nobody knows. */
export type PublishOutcome =
  | { readonly kind: 'acknowledged'; readonly epoch: string; readonly offset: number }
  | { readonly kind: 'failed'; readonly why: string };

const REQUEST_TIMEOUT_MS = 15_000;
// compat: internal error and its kin, which a backend repeats (server-api, codes).
const TEMPORARY_CODES: ReadonlySet<number> = new Set([100]);

/** The server API of one instance, as a backend calls it. */
export class ServerApi {
  readonly #url: string;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/api/`;
  }

  async publish(channel: string, data: string, idempotencyKey?: string): Promise<PublishOutcome> {
    const key = idempotencyKey === undefined ? '' : `,"idempotency_key":"${idempotencyKey}"`;
    return settled(
      () => this.#post('publish', `{"channel":"${channel}","data":${data}${tagsOf(data)}${key}}`),
      outcomeOf,
    );
  }

  /** Several publishes as commands of one request. */
  async batch(publishes: readonly { channel: string; data: string }[]): Promise<PublishOutcome[]> {
    const commands = publishes.map(
      ({ channel, data }) => `{"publish":{"channel":"${channel}","data":${data}${tagsOf(data)}}}`,
    );
    const failed = (why: string): PublishOutcome[] => publishes.map(() => ({ kind: 'failed', why }));
    return outcomesOf(
      () => this.#post('batch', `{"parallel":true,"commands":[${commands.join(',')}]}`),
      (body) =>
        (body as { replies?: { publish?: PublishReply['result']; error?: ApiError }[] }).replies?.map((reply) =>
          outcomeOf({
            ...(reply.error === undefined ? {} : { error: reply.error }),
            ...(reply.publish === undefined ? {} : { result: reply.publish }),
          }),
        ),
      failed,
    );
  }

  /** One payload into several channels. */
  async broadcast(channels: readonly string[], data: string): Promise<PublishOutcome[]> {
    const failed = (why: string): PublishOutcome[] => channels.map(() => ({ kind: 'failed', why }));
    return outcomesOf(
      () => this.#post('broadcast', `{"channels":${JSON.stringify(channels)},"data":${data}${tagsOf(data)}}`),
      (body) => (body as { result?: { responses?: PublishReply[] } }).result?.responses?.map(outcomeOf),
      failed,
    );
  }

  /** Whether the server says that it is done. */
  async removeHistory(channel: string): Promise<boolean> {
    const body = await this.#post('history_remove', `{"channel":"${channel}"}`).catch(() => ({ error: {} }));
    return !('error' in body);
  }

  /** All that is kept; undefined if there was no answer. */
  async history(channel: string): Promise<HistoryAnswer | undefined> {
    const body = (await this.#post('history', `{"channel":"${channel}","limit":-1}`).catch(() => ({}))) as HistoryReply;
    if (body.result === undefined) return undefined;
    const { epoch, offset = 0, publications } = body.result;
    const read = publications.map((each): Publication => ({
      epoch,
      offset: each.offset ?? 0,
      text: JSON.stringify(each.data),
    }));
    return { publications: read, top: { epoch, offset } };
  }

  async #post(method: string, body: string): Promise<object> {
    const response = await fetch(this.#url + method, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
      body,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    return (await response.json()) as object;
  }
}

function tagsOf(data: string): string {
  return `,"tags":{"k":"${tagOf(data)}"}`;
}

function outcomeOf({ error, result }: PublishReply): PublishOutcome {
  if (error !== undefined) {
    if (!TEMPORARY_CODES.has(error.code)) throw new Error(`publish failed for good: ${error.code} ${error.message}`);
    return { kind: 'failed', why: `error ${error.code}` };
  }
  return { kind: 'acknowledged', epoch: result?.epoch ?? '', offset: result?.offset ?? 0 };
}

async function settled(
  request: () => Promise<object>,
  read: (body: object) => PublishOutcome,
): Promise<PublishOutcome> {
  const [outcome] = await outcomesOf(
    request,
    (body) => [read(body)],
    (why) => [{ kind: 'failed', why }],
  );
  return outcome ?? { kind: 'failed', why: 'no outcome' };
}

async function outcomesOf(
  request: () => Promise<object>,
  read: (body: object) => PublishOutcome[] | undefined,
  failed: (why: string) => PublishOutcome[],
): Promise<PublishOutcome[]> {
  let body: object;
  try {
    body = await request();
  } catch (error) {
    return failed(error instanceof Error ? error.name : 'no answer');
  }
  return read(body) ?? failed(`an answer without outcomes: ${JSON.stringify(body).slice(0, 200)}`);
}
