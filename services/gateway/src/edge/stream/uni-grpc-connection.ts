import { Duplex } from 'node:stream';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { protobufCodec } from '@carillon/protocol/client';
import { DISCONNECT_CONNECTION_CLOSED, DISCONNECT_SLOW } from '@carillon/protocol/codes';
import type { FrameType } from '../../session/frame-type.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { HandshakeRequest, Socket, SocketListener, TransportTraits } from '../socket.ts';

const TRAITS: TransportTraits = {
  name: 'uni_grpc',
  encoding: 'protobuf',
  form: 'uni_protobuf',
  unidirectional: true,
  emulated: false,
  applicationPing: true,
  // compat: not `client.ping_interval`.
  pingIntervalMs: 25_000,
  topics: false,
};

type Call = ServerWritableStream<Uint8Array, Uint8Array>;
type State = 'open' | 'slow' | 'closed';

/** One Consume call as the session sees it. */
export class UniGrpcConnection implements Socket {
  readonly traits: TransportTraits = TRAITS;
  readonly request: HandshakeRequest;
  readonly #call: Call;
  readonly #context: EdgeContext;
  #listener: SocketListener | undefined = undefined;
  #state: State = 'open';
  #queuedBytes = 0;

  constructor(call: Call, context: EdgeContext) {
    this.#call = call;
    this.#context = context;
    this.request = {
      headers: NO_HEADERS,
      metadata: keptMetadata(call, context),
      remoteAddress: peerAddress(call.getPeer()),
    };
    call.on('cancelled', () => this.#closed());
    call.on('error', (error: Error) => {
      context.log.debug('unidirectional gRPC stream failed', { error: error.message });
      this.#closed();
    });
  }

  open(connectRequest: Uint8Array): void {
    const listener = this.#context.accept(this);
    if (this.#isClosed) {
      listener.onClose();
      return;
    }
    this.#listener = listener;
    listener.onFrame(connectRequest);
  }

  send(message: Uint8Array, frameType: FrameType = 'unknown'): void {
    if (this.#state !== 'open') return;
    this.#queuedBytes += message.length;
    this.#context.observer.onSent(TRAITS.name, frameType, message.length);
    this.#call.write(message, () => {
      this.#queuedBytes -= message.length;
    });
    if (this.#queuedBytes > this.#context.settings.queueMaxSize) this.#becomeSlow();
  }

  batch(write: () => void): void {
    write();
  }

  /** Streams have no topics. */
  subscribe(): void {
    return undefined;
  }

  unsubscribe(): void {
    return undefined;
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    if (code === DISCONNECT_CONNECTION_CLOSED.code || code === DISCONNECT_SLOW.code) {
      this.drop();
      return;
    }
    this.send(protobufCodec.encodePush({ disconnect: { code, reason } }), 'push_disconnect');
    this.#call.end();
    this.#closed();
  }

  drop(): void {
    if (this.#isClosed) return;
    this.#closed();
    resetStream(this.#call);
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #becomeSlow(): void {
    this.#state = 'slow';
    // In a turn of its own: the caller may be in a loop over subscribers.
    setImmediate(() => {
      if (this.#state === 'slow') this.#listener?.onSlow();
    });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#state = 'closed';
    this.#context.admission.leave(TRAITS.name);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClose();
  }
}

/**
 * Ends a stream whose client may take nothing any more. `@grpc/grpc-js` would send a status after all that is queued, which
 * never happens then, and has no public way to reset a stream; so this reaches for the HTTP/2 stream inside the call.
 */
function resetStream(call: Call): void {
  const inner: unknown = Reflect.get(call, 'call');
  const stream: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'stream') : undefined;
  if (stream instanceof Duplex) stream.destroy();
  else call.emit('error', { code: status.UNAVAILABLE, details: 'dropped' });
}

const NO_HEADERS: ReadonlyMap<string, readonly string[]> = new Map();

function keptMetadata(call: Call, { kept }: EdgeContext): ReadonlyMap<string, string[]> {
  const metadata = new Map<string, string[]>();
  const names = kept().keptMetadata;
  for (const name of Object.keys(call.metadata.getMap())) {
    if (names !== undefined && !names.has(name)) continue;
    metadata.set(name, call.metadata.get(name).map(String));
  }
  return metadata;
}

/** `address:port` without the port. */
function peerAddress(peer: string): string {
  return peer.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
}
