// Appends for others: the receiving end of WriteRouter, on nodes that own channels.
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { Msg, Subscription } from '@nats-io/nats-core';
import type { NatsLink } from '../nats-connection.ts';
import { ByteWriter } from '../record/byte-writer.ts';
import { readWriteRequest, writeWriteAnswer, type WriteAnswer, type WriteRequest } from '../record/write-request.ts';
import type { LogWriter } from '../log/log-writer.ts';

export interface WriteServerDependencies {
  readonly link: NatsLink;
  readonly writer: LogWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
}

const MAX_SERVING = 20_000;

export class WriteServer {
  readonly #deps: WriteServerDependencies;
  readonly #subscription: Subscription;
  readonly #out: ByteWriter = new ByteWriter();
  #numServing = 0;

  constructor(deps: WriteServerDependencies) {
    this.#deps = deps;
    const { link, log, nodeId } = deps;
    this.#subscription = link.main.subscribe(link.subjects.write(nodeId), {
      callback: (error, message) => {
        if (error !== null) log.error('write requests are refused', { error });
        else this.#onRequest(message);
      },
    });
  }

  close(): void {
    if (!this.#deps.link.main.isClosed()) this.#subscription.unsubscribe();
  }

  #onRequest(message: Msg): void {
    this.#serve(message).catch((error: unknown) => this.#deps.log.warn('a write request was not answered', { error }));
  }

  async #serve(message: Msg): Promise<void> {
    // Both are read here: the message is the library's again after this turn.
    const { reply } = message;
    if (reply === undefined || reply === '') return;
    const request = readWriteRequest(message.data);
    this.#numServing += 1;
    try {
      const answer = await this.#answer(request);
      writeWriteAnswer(this.#out, answer);
      this.#deps.link.publish(reply, this.#out.finish());
    } finally {
      this.#numServing -= 1;
    }
  }

  async #answer(request: WriteRequest): Promise<WriteAnswer> {
    try {
      if (this.#numServing > MAX_SERVING) throw new OperationalError('log_overloaded', 'too many write requests');
      return { kind: 'done', result: await this.#write(request) };
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return { kind: 'failed', code: error.code, message: error.message, isRetriable: error.retriable };
    }
  }

  async #write(request: WriteRequest) {
    const { writer, clock } = this.#deps;
    const { channel, retention, body, idempotencyKey, versionEpoch } = request;
    // It may have waited on the way, while this process or its link stood still: the sender writes by itself by now.
    const deadlineMs = request.deadlineMs - Math.max(0, clock.now() - request.sentAt);
    if (deadlineMs <= 0) throw new OperationalError('publish_deadline', 'the write request came too late');
    if (body !== undefined) {
      return writer.append({ channel, retention, body, idempotencyKey, versionEpoch, isRepeat: false }, deadlineMs);
    }
    if (idempotencyKey !== '') return writer.claim({ channel, retention, idempotencyKey }, deadlineMs);
    await writer.remove(channel, retention, deadlineMs);
    return { position: { offset: 0, epoch: '' } };
  }
}
