import { DISCONNECT_CONNECTION_CLOSED, DISCONNECT_SLOW } from '@carillon/protocol/codes';
import type { TimerHandle } from '@carillon/service-kit';
import type { FrameType } from '../../session/frame-type.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { ConnectRefusal } from '../edge-settings.ts';
import type { PendingResponse } from '../http/request-body.ts';
import { type HeaderLine, respond, statusLine } from '../http/respond.ts';
import type { HandshakeRequest, Socket, SocketListener, TransportTraits } from '../socket.ts';
import type { WatchedWriter } from '../ws/write-watch.ts';
import { Outbox } from './outbox.ts';
import type { SharedChunks } from './shared-chunks.ts';
import type { Flushable } from './turn-flush.ts';

/** What all connections of one streaming endpoint and encoding share. */
export interface StreamVariant {
  readonly traits: TransportTraits;
  readonly chunks: SharedChunks;
  readonly headers: readonly HeaderLine[];
  /** Written with the headers, before any message. */
  readonly opening: Uint8Array | undefined;
  readonly encodeDisconnect: (code: number, reason: string) => Uint8Array;
  /** Set: a failed connect is answered by status (§1.8), so the stream begins with the first message only. */
  readonly refusals: ReadonlyMap<number, ConnectRefusal> | undefined;
}

export interface StreamConnectionOptions {
  readonly context: EdgeContext;
  readonly variant: StreamVariant;
  readonly pending: PendingResponse;
  readonly request: HandshakeRequest;
  readonly cors: readonly HeaderLine[];
}

/** client-protocol §1.2: how long what was written may wait without any of it being taken. */
const WRITE_TIMEOUT_MS = 1000;

/** How long the end of a stream waits for a slow client to take what was queued before it. */
const CLOSE_DRAIN_MS = 5000;

type State = 'opening' | 'open' | 'slow' | 'closing' | 'closed';

/** One streaming response as the session sees it. */
export class StreamConnection implements Socket, Flushable, WatchedWriter {
  readonly writeTimeoutMs: number = WRITE_TIMEOUT_MS;
  readonly traits: TransportTraits;
  readonly request: HandshakeRequest;
  readonly #context: EdgeContext;
  readonly #variant: StreamVariant;
  readonly #pending: PendingResponse;
  readonly #cors: readonly HeaderLine[];
  readonly #outbox: Outbox;
  #listener: SocketListener | undefined = undefined;
  #state: State = 'opening';
  #hasBegun = false;
  #batchDepth = 0;
  #isAwaitingTurnEnd = false;
  #drainDeadline: TimerHandle | undefined = undefined;

  constructor({ context, variant, pending, request, cors }: StreamConnectionOptions) {
    this.traits = variant.traits;
    this.request = request;
    this.#context = context;
    this.#variant = variant;
    this.#pending = pending;
    this.#cors = cors;
    const { res } = pending;
    this.#outbox = new Outbox({
      chunks: variant.chunks,
      limitBytes: context.settings.queueMaxSize,
      sink: res,
      onOverflow: () => this.#becomeSlow(),
    });
    pending.onAbort = () => this.#closed();
    res.onWritable(() => this.#writable());
  }

  /** Begins: the session gets its first frame before this returns. */
  open(firstFrame: Uint8Array): void {
    this.#state = 'open';
    if (this.#variant.refusals === undefined) this.#begin();
    const listener = this.#context.accept(this);
    if (this.#isClosed) {
      listener.onClose();
      return;
    }
    this.#listener = listener;
    this.#context.writeWatch.add(this);
    listener.onFrame(firstFrame);
  }

  send(message: Uint8Array, frameType: FrameType = 'unknown'): void {
    if (this.#state !== 'open') return;
    this.#context.observer.onSent(this.traits.name, frameType, message.length);
    this.#begin();
    this.#outbox.push(message);
    if (this.#batchDepth > 0 || this.#isAwaitingTurnEnd) return;
    this.#isAwaitingTurnEnd = true;
    this.#context.turnFlush.schedule(this);
  }

  batch(write: () => void): void {
    this.#batchDepth += 1;
    try {
      write();
    } finally {
      this.#batchDepth -= 1;
      if (this.#batchDepth === 0) this.#flush();
    }
  }

  /** Streams have no topics. */
  subscribe(): void {
    return undefined;
  }

  unsubscribe(): void {
    return undefined;
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open' && this.#state !== 'slow') return;
    if (this.#state === 'slow' || code === DISCONNECT_SLOW.code || code === DISCONNECT_CONNECTION_CLOSED.code) {
      this.drop();
      return;
    }
    this.#begin();
    const push = this.#variant.encodeDisconnect(code, reason);
    this.#context.observer.onSent(this.traits.name, 'push_disconnect', push.length);
    this.#outbox.push(push);
    this.#state = 'closing';
    this.#outbox.flush();
    if (this.#outbox.isEmpty) this.#end();
    else this.#drainDeadline = this.#context.clock.setTimer(CLOSE_DRAIN_MS, () => this.drop());
  }

  drop(): void {
    if (!this.#isClosed) this.#pending.res.close();
  }

  rejectWith(code: number, message: string): boolean {
    const { refusals } = this.#variant;
    if (refusals === undefined || this.#hasBegun || this.#state !== 'open') return false;
    const refusal = refusals.get(code);
    this.#hasBegun = true;
    const isMapped = refusal !== undefined;
    respond(this.#pending.res, isMapped ? refusal.statusCode : 500, {
      headers: [...this.#cors, ['Content-Type', 'text/plain; charset=utf-8']],
      body: isMapped ? refusal.body || message : 'Internal Server Error',
    });
    this.#closed();
    return true;
  }

  turnEnd(): void {
    this.#isAwaitingTurnEnd = false;
    this.#flush();
  }

  get bufferedBytes(): number {
    return this.#outbox.blockedBytes;
  }

  writeTimedOut(): void {
    // The end of a stream has a time limit of its own.
    if (this.#state === 'open') this.#becomeSlow();
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #flush(): void {
    if (this.#state !== 'open') return;
    this.#outbox.flush();
    if (this.bufferedBytes > 0) this.#context.writeWatch.backedUp(this);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { res } = this.#pending;
    const { headers, opening } = this.#variant;
    res.cork(() => {
      res.writeStatus(statusLine(200));
      for (const [name, value] of this.#cors) res.writeHeader(name, value);
      for (const [name, value] of headers) res.writeHeader(name, value);
      if (opening !== undefined) res.write(opening);
    });
  }

  #writable(): boolean {
    if (this.#isClosed) return true;
    this.#outbox.writable();
    this.#context.writeWatch.progressed(this);
    if (this.#state === 'closing' && this.#outbox.isEmpty) this.#end();
    return true;
  }

  #end(): void {
    // uWebSockets.js itself sends what it still holds.
    this.#pending.res.cork(() => this.#pending.res.end());
    this.#closed();
  }

  #becomeSlow(): void {
    if (this.#state === 'closing') {
      this.drop();
      return;
    }
    this.#state = 'slow';
    // In a turn of its own: the caller may be in a loop over subscribers, which does not survive what the session does now.
    setImmediate(() => {
      if (this.#state === 'slow') this.#listener?.onSlow();
    });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#state = 'closed';
    this.#drainDeadline?.cancel();
    this.#outbox.clear();
    this.#context.writeWatch.remove(this);
    this.#context.admission.leave(this.traits.name);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClose();
  }
}
