import type { Decision, StreamEnding, StreamListener, SubscribeStream } from '@carillon/policy';
import type { Publication, SubscribeResult } from '@carillon/protocol/proxy';
import { UNSUBSCRIBE_INSUFFICIENT_STATE, UNSUBSCRIBE_SERVER } from '@carillon/protocol/codes';
import { isValidJson } from '@carillon/protocol/wire';
import type { Session } from '../session/session.ts';
import type { UnsubscribeByServer } from './unsubscribe-by-server.ts';

export interface ClientStreamOptions {
  readonly session: Session;
  readonly channel: string;
  /** Opens the backend's stream. */
  readonly open: (listener: StreamListener) => SubscribeStream;
  readonly unsubscribe: UnsubscribeByServer;
}

/** What may wait for the reply of its subscribe: it is sent a moment after the stream is open. */
const MAX_HELD_PUBLICATIONS = 1_024;
const MAX_HELD_BYTES = 1024 * 1024;

const NO_DATA = new Uint8Array(0);

/** opening: the reply is not sent, publications are held. live: they go to the client as they come. */
type ClientStreamState = 'opening' | 'live' | 'closed';

/**
 * A stream of its own from the backend that feeds one subscription, beside the channel's fan-out (proxy.md §6.7): neither
 * offsets nor recovery. Its end unsubscribes the client, its unsubscription ends the stream.
 */
export class ClientStream implements StreamListener {
  readonly #options: ClientStreamOptions;
  readonly #stream: SubscribeStream;
  #state: ClientStreamState = 'opening';
  #held: Publication[] = [];
  #heldBytes = 0;
  #ending: StreamEnding | undefined = undefined;

  constructor(options: ClientStreamOptions) {
    this.#options = options;
    this.#stream = options.open(this);
  }

  get decision(): Promise<Decision<SubscribeResult>> {
    return this.#stream.decision;
  }

  /** Whether the backend took it. */
  publish(data: Uint8Array): Promise<boolean> {
    return this.#stream.publish(data);
  }

  /** The reply is sent: from now on publications are delivered, first those that came before it. */
  goLive(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'live';
    const held = this.#held;
    this.#held = [];
    for (const publication of held) this.#deliver(publication);
    if (this.#ending !== undefined) this.#finish(this.#ending);
  }

  /** Cancels the backend's stream; nothing is delivered any more. Harmless when repeated. */
  close(): void {
    this.#state = 'closed';
    this.#held = [];
    this.#stream.close();
  }

  onPublication(publication: Publication): void {
    if (this.#state === 'live') this.#deliver(publication);
    else if (this.#state === 'opening') this.#hold(publication);
  }

  onEnd(end: StreamEnding): void {
    if (this.#state === 'live') this.#finish(end);
    else if (this.#state === 'opening') this.#ending = end;
  }

  #hold(publication: Publication): void {
    this.#heldBytes += publication.data?.length ?? 0;
    if (this.#held.length < MAX_HELD_PUBLICATIONS && this.#heldBytes <= MAX_HELD_BYTES) {
      this.#held.push(publication);
      return;
    }
    // Losing one silently is no option: the client subscribes again.
    this.#ending = 'failed';
    this.#stream.close();
  }

  #deliver({ data = NO_DATA, tags }: Publication): void {
    const { session, channel } = this.#options;
    if (this.#state !== 'live') return;
    // No payload is none that a JSON client cannot take.
    const mayTake = session.socket.traits.encoding !== 'json' || data.length === 0 || isValidJson(data);
    if (mayTake) session.push({ channel, pub: { data, tags } });
    else session.onInappropriatePayload();
  }

  #finish(end: StreamEnding): void {
    const { session, channel, unsubscribe } = this.#options;
    this.#state = 'closed';
    if (session.isClosed) return;
    unsubscribe(session, channel, end === 'completed' ? UNSUBSCRIBE_SERVER : UNSUBSCRIBE_INSUFFICIENT_STATE);
  }
}
