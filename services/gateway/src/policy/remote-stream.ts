import {
  fromWireDecision,
  type Decision,
  type StreamEnding,
  type StreamListener,
  type SubscribeStream,
} from '@carillon/policy';
import type { Publication, SubscribeResult } from '@carillon/protocol/proxy';

import type { StreamReceiver } from './instance-streams.ts';
import type { PolicyQuestion } from './policy-instance.ts';
import { POLICY_FAILURE_REASON, type PolicyPool, type StreamLink } from './policy-pool.ts';

export interface RemoteStreamOptions {
  readonly pool: PolicyPool;
  /** Opens it. */
  readonly question: PolicyQuestion;
  readonly isBidirectional: boolean;
  readonly listener: StreamListener;
}

/** A subscribe stream that some instance of auth-policy holds: it lives and dies with the connection to that instance. */
export class RemoteStream implements SubscribeStream, StreamReceiver {
  readonly decision: Promise<Decision<SubscribeResult>>;
  readonly #options: RemoteStreamOptions;
  #link: StreamLink | undefined = undefined;
  #hasEnded = false;

  constructor(options: RemoteStreamOptions) {
    this.#options = options;
    this.decision = this.#open();
  }

  /** Whether nobody wants it any more; while it waits for an instance it need not be opened then. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async publish(data: Uint8Array): Promise<boolean> {
    const { pool, isBidirectional } = this.#options;
    if (this.#hasEnded || this.#link === undefined || !isBidirectional) return false;
    const reply = await pool.askInStream(this.#link, data);
    return typeof reply !== 'string' && reply.publish?.none !== undefined;
  }

  close(): void {
    this.#hasEnded = true;
    this.#link?.close();
  }

  onPublication(publication: Publication): void {
    if (!this.#hasEnded) this.#options.listener.onPublication(publication);
  }

  onEnd(end: StreamEnding): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.listener.onEnd(end);
  }

  async #open(): Promise<Decision<SubscribeResult>> {
    const { pool, question } = this.#options;
    const outcome = await pool.openStream(question, this, (link) => {
      this.#link = link;
    });
    const decision: Decision<SubscribeResult> =
      typeof outcome === 'string'
        ? { kind: 'failed', reason: POLICY_FAILURE_REASON[outcome] }
        : fromWireDecision(outcome.subscribe);
    if (decision.kind !== 'result') this.close();
    return decision;
  }
}
