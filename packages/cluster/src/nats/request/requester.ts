import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import { OperationalError, type Clock } from '@carillon/service-kit';
import { ReplyInbox, type ReplyHandler } from './reply-inbox.ts';

export interface RequesterDeps {
  readonly connection: NatsConnection;
  /** Sends one message, or throws when it can't now. */
  readonly publish: (subject: string, payload: Uint8Array, options: { reply?: string; headers?: MsgHdrs }) => void;
  readonly clock: Clock;
}

export interface RequestMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  readonly headers?: MsgHdrs | undefined;
}

/** Requests as promises, with one reply or with many. Rejections are OperationalErrors or what a visitor threw. */
export class Requester {
  /** Sends a message that nobody answers. Throws when it can't. */
  readonly tell: RequesterDeps['publish'];
  readonly #inbox: ReplyInbox;

  constructor({ connection, publish, clock }: RequesterDeps) {
    this.tell = publish;
    this.#inbox = new ReplyInbox({ connection, clock });
  }

  /** The first reply. "No responders" is a reply: see `isNoResponders`. */
  request(message: RequestMessage): Promise<Msg> {
    return new Promise((resolve, reject) => {
      this.ask(message, {
        onReply: (reply) => {
          resolve(reply);
          return false;
        },
        onFailure: reject,
      });
    });
  }

  /** Hands each reply to `visit` until it says that one was the last; what it throws ends the request. */
  collect(message: RequestMessage, visit: (reply: Msg) => 'more' | 'last'): Promise<void> {
    return new Promise((resolve, reject) => {
      const onReply = (reply: Msg): boolean => {
        try {
          if (visit(reply) === 'more') return true;
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        return false;
      };
      this.ask(message, { onReply, onFailure: reject });
    });
  }

  /** As `request` without a promise of its own. The handler is told of failures to send too. */
  ask({ subject, payload, deadlineMs, headers }: RequestMessage, handler: ReplyHandler): void {
    let reply: string | undefined;
    try {
      reply = this.#inbox.open(handler, deadlineMs);
      this.tell(subject, payload, headers === undefined ? { reply } : { reply, headers });
    } catch (cause) {
      if (reply !== undefined) this.#inbox.forget(reply);
      handler.onFailure(
        cause instanceof OperationalError
          ? cause
          : new OperationalError('nats_publish', `can not ask ${subject}`, { cause }),
      );
    }
  }

  /** Fails what is in flight. Idempotent. */
  close(): void {
    this.#inbox.close();
  }
}
