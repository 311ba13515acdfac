import type { DecisionService } from '@carillon/policy';
import { policyMethods } from '@carillon/protocol/cluster';
import type { WireDecision, WireQuestion } from '@carillon/policy';
import { OperationalError, type Log } from '@carillon/service-kit';
import { Server, ServerCredentials, type handleUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';

import type { PolicyMetrics } from '../metrics.ts';
import { answerOne } from './answer-question.ts';
import { CallerStream } from './caller-stream.ts';

export interface PolicyServerOptions {
  readonly decisions: DecisionService;
  /** 0 takes any free port. */
  readonly port: number;
  /** Default: all interfaces. */
  readonly address?: string | undefined;
  /** Questions of one caller being answered at a time. */
  readonly maxInFlightPerCaller: number;
  readonly log: Log;
  readonly metrics: PolicyMetrics;
}

/** A question with its headers and a message of the client's size; larger ones are refused by gRPC. */
const MAX_QUESTION_BYTES = 4 * 1024 * 1024;

/** The internal service that gateways ask (`PolicyService`): single questions and the stream of many. */
export class PolicyServer {
  readonly #options: PolicyServerOptions;
  readonly #server: Server;
  readonly #streams: Set<CallerStream> = new Set();
  #drained: (() => void) | undefined = undefined;

  constructor(options: PolicyServerOptions) {
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': MAX_QUESTION_BYTES,
      // Notices callers that vanished without a word.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
    this.#server.addService(policyMethods, this.#handlers());
  }

  /** Listens; gives the port. Rejects with the `OperationalError` `policy_server_listen`. */
  start(): Promise<number> {
    const { address = '0.0.0.0', port } = this.#options;
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
    const { decisions, maxInFlightPerCaller: maxInFlight, metrics } = this.#options;
    return {
      connect: unary(decisions.connect),
      refresh: unary(decisions.refresh),
      subscribe: unary(decisions.subscribe),
      publish: unary(decisions.publish),
      subRefresh: unary(decisions.subRefresh),
      rpc: unary(decisions.rpc),
      mapPublish: unary(decisions.mapPublish),
      mapRemove: unary(decisions.mapRemove),
      decide: (call: ConstructorParameters<typeof CallerStream>[0]['call']) => {
        const onClose = (closed: CallerStream): void => this.#forget(closed);
        this.#streams.add(new CallerStream({ call, decisions, maxInFlight, metrics, onClose }));
        metrics.callers.set(this.#streams.size);
      },
    };
  }

  #forget(stream: CallerStream): void {
    this.#streams.delete(stream);
    this.#options.metrics.callers.set(this.#streams.size);
    if (this.#streams.size === 0) this.#drained?.();
  }
}

type Answer<Message, Result> = Parameters<typeof answerOne<Message, Result>>[1];

function unary<Message, Result>(
  decide: Answer<Message, Result>,
): handleUnaryCall<WireQuestion<Message>, WireDecision<Result>> {
  return (call, reply) => {
    void answerOne(call.request, decide).then((decision) => reply(null, decision));
  };
}
