import { networkInterfaces } from 'node:os';

import type { Ask, Decision, WireDecision, WireQuestion } from '@carillon/policy';
import { policyMethods, type DecideRequest } from '@carillon/protocol/cluster';
import type {
  ConnectRequest,
  MapPublishRequest,
  MapRemoveRequest,
  PublishRequest,
  RefreshRequest,
  RpcRequest,
  SubRefreshRequest,
  SubscribeRequest,
} from '@carillon/protocol/proxy';
import { OperationalError, type Log } from '@carillon/service-kit';
import {
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

import type { BackendDecisions } from '../decision/decision-maker.ts';
import type { PolicyMetrics } from '../metrics.ts';
import { answerOne } from './answer-question.ts';
import { CallerStream } from './caller-stream.ts';

export interface PolicyServerOptions {
  readonly decisions: BackendDecisions;
  /** 0 takes any free port. */
  readonly port: number;
  /** As in a gRPC target: IPv6 in brackets. Default: all interfaces, of both families where the machine has both. */
  readonly address?: string | undefined;
  /** Questions of one caller being answered at a time. */
  readonly maxInFlightPerCaller: number;
  readonly log: Log;
  readonly metrics: PolicyMetrics;
}

/** A question with its headers and a message of the client's size; larger ones are refused by gRPC. */
const MAX_QUESTION_BYTES = 4 * 1024 * 1024;

function anyAddress(): string {
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'));
  return hasIpv6 ? '[::]' : '0.0.0.0';
}

/** Replies on the stream are encoded before they are gathered. */
const SERVICE = { ...policyMethods, decide: { ...policyMethods.decide, responseSerialize: (reply: Buffer) => reply } };

/** The internal service that gateways ask (`PolicyService`): single questions and the stream of many. */
export class PolicyServer {
  readonly #options: PolicyServerOptions;
  readonly #server: Server;
  readonly #streams: Set<CallerStream> = new Set();
  #isDraining = false;
  #drained: (() => void) | undefined = undefined;

  constructor(options: PolicyServerOptions) {
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': MAX_QUESTION_BYTES,
      // Notices callers that vanished without a word.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      // Callers keep a stream open; a connection without one serves nobody.
      'grpc.max_connection_idle_ms': 300_000,
      'grpc.max_concurrent_streams': 1024,
    });
    this.#server.addService(SERVICE, this.#handlers());
  }

  /** Listens; gives the port. Rejects with the `OperationalError` `policy_server_listen`. */
  start(): Promise<number> {
    const { address = anyAddress(), port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${address}:${port}`, ServerCredentials.createInsecure(), (cause, bound) => {
        if (cause === null) return resolve(bound);
        const message = `cannot listen on port ${port}: ${cause.message}`;
        return reject(new OperationalError('policy_server_listen', message, { cause, retriable: false }));
      });
    });
  }

  /** Sends callers elsewhere and waits until the last of them has its answers, or the signal aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    for (const stream of this.#streams) stream.announceDrain();
    if (this.#streams.size === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
  }

  #handlers(): UntypedServiceImplementation {
    const { decisions } = this.#options;
    return {
      connect: unary((ask: Ask<ConnectRequest>) => decisions.connect(ask)),
      refresh: unary((ask: Ask<RefreshRequest>) => decisions.refresh(ask)),
      subscribe: unary((ask: Ask<SubscribeRequest>) => decisions.subscribe(ask)),
      publish: unary((ask: Ask<PublishRequest>) => decisions.publish(ask)),
      subRefresh: unary((ask: Ask<SubRefreshRequest>) => decisions.subRefresh(ask)),
      rpc: unary((ask: Ask<RpcRequest>) => decisions.rpc(ask)),
      mapPublish: unary((ask: Ask<MapPublishRequest>) => decisions.mapPublish(ask)),
      mapRemove: unary((ask: Ask<MapRemoveRequest>) => decisions.mapRemove(ask)),
      decide: (call: ServerDuplexStream<DecideRequest, Buffer>) => this.#accept(call),
    };
  }

  #accept(call: ServerDuplexStream<DecideRequest, Buffer>): void {
    if (this.#isDraining) {
      call.emit('error', { code: status.UNAVAILABLE, details: 'about to stop' });
      return;
    }
    const { decisions, maxInFlightPerCaller: maxInFlight, metrics } = this.#options;
    const onClose = (closed: CallerStream): void => this.#forget(closed);
    this.#streams.add(new CallerStream({ call, decisions, maxInFlight, metrics, onClose }));
    metrics.callers.set(this.#streams.size);
  }

  #forget(stream: CallerStream): void {
    this.#streams.delete(stream);
    this.#options.metrics.callers.set(this.#streams.size);
    if (this.#streams.size === 0) this.#drained?.();
  }
}

function unary<Message, Result>(
  decide: (ask: Ask<Message>) => Promise<Decision<Result>>,
): handleUnaryCall<WireQuestion<Message>, WireDecision<Result>> {
  return (call, reply) => {
    void answerOne(call.request, decide).then((decision) => reply(null, decision));
  };
}
