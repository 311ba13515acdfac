// Brings a publication to the node that owns its channel; appends here when that is this node, or nobody, or does not answer.
import type { StreamPosition } from '@carillon/protocol/channel';
import { OperationalError, type Clock, type Log } from '@carillon/service-kit';
import type { PublishResult, Retention } from '../../broker.ts';
import type { NodeRecord } from '../../control.ts';
import type { BrokerMetrics } from '../broker-metrics.ts';
import type { NatsLink } from '../nats-connection.ts';
import { ByteWriter } from '../record/byte-writer.ts';
import { readWriteAnswer, writeWriteRequest, type WriteAnswer, type WriteRequest } from '../record/write-request.ts';
import { isNoResponders, type ReplyInbox } from '../request/reply-inbox.ts';
import { ChannelOwners } from './channel-owner.ts';
import type { LogAppend, LogClaim, LogWriter } from '../log/log-writer.ts';

export interface WriteRouterDependencies {
  readonly link: NatsLink;
  readonly inbox: ReplyInbox;
  readonly writer: LogWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodes: () => readonly NodeRecord[];
  readonly nodeId: string;
  readonly metrics: BrokerMetrics;
  /** Called before `append` resolves, with what it resolves with. Must not throw. */
  readonly onWritten: (channel: string, position: StreamPosition) => void;
}

/** Share of a publish's deadline that the owner gets; the rest is for doing it here. */
const OWNER_SHARE = 0.4;
/** The owner stops so long before we begin; by so much the clocks of nodes may differ. */
const HANDOVER_MS = 300;

/** What became of asking the owner. */
type Forwarded =
  | { readonly kind: 'answer'; readonly answer: WriteAnswer }
  /** Not done for sure, or perhaps done (`isInDoubt`). */
  | { readonly kind: 'none'; readonly isInDoubt: boolean };

export class WriteRouter {
  readonly #deps: WriteRouterDependencies;
  readonly #out: ByteWriter = new ByteWriter();
  readonly #owners: ChannelOwners;

  constructor(deps: WriteRouterDependencies) {
    this.#deps = deps;
    this.#owners = new ChannelOwners(deps.nodes);
  }

  /** Rejects with an OperationalError. Not async: a promise more for each publication of an owner is work. */
  append(request: LogAppend, deadlineMs: number): Promise<PublishResult> {
    const owner = this.#remoteOwner(request.channel);
    const { writer, onWritten } = this.#deps;
    return owner === undefined
      ? writer.append(request, deadlineMs, onWritten)
      : this.#appendBy(owner, request, deadlineMs);
  }

  async #appendBy(owner: string, request: LogAppend, deadlineMs: number): Promise<PublishResult> {
    const { writer, clock, onWritten } = this.#deps;
    const startedAt = clock.monotonic();
    const askedAt = clock.now();
    const forwarded = await this.#forward(owner, request, deadlineMs * OWNER_SHARE);
    if (forwarded.kind === 'answer' && !isTemporary(forwarded.answer)) {
      const result = resultOf(forwarded.answer);
      onWritten(request.channel, result.position);
      return result;
    }
    // The owner may be cut off where we are not; what it could not settle may be stored nevertheless.
    this.#deps.metrics.ownerFallbacks.inc();
    const isRepeat = forwarded.kind === 'answer' || forwarded.isInDoubt;
    const leftMs = deadlineMs - (clock.monotonic() - startedAt);
    return writer.append({ ...request, isRepeat, askedAt }, leftMs, onWritten);
  }

  /** As `append`, for a key alone. */
  async claim(request: LogClaim, deadlineMs: number): Promise<PublishResult> {
    const owner = this.#remoteOwner(request.channel);
    if (owner !== undefined) {
      const forwarded = await this.#forward(owner, { ...request, versionEpoch: '' }, deadlineMs * OWNER_SHARE);
      if (forwarded.kind === 'answer' && !isTemporary(forwarded.answer)) return resultOf(forwarded.answer);
    }
    return this.#deps.writer.claim(request, deadlineMs * (1 - OWNER_SHARE));
  }

  async remove(channel: string, retention: Retention, deadlineMs: number): Promise<void> {
    const { writer } = this.#deps;
    const owner = this.#remoteOwner(channel);
    if (owner !== undefined) {
      const request = { channel, retention, idempotencyKey: '', versionEpoch: '' };
      const forwarded = await this.#forward(owner, request, deadlineMs * OWNER_SHARE);
      if (forwarded.kind === 'answer' && !isTemporary(forwarded.answer)) {
        resultOf(forwarded.answer);
        return;
      }
    }
    await writer.remove(channel, retention, deadlineMs * (1 - OWNER_SHARE));
  }

  #remoteOwner(channel: string): string | undefined {
    const owner = this.#owners.of(channel);
    return owner === this.#deps.nodeId ? undefined : owner;
  }

  #forward(owner: string, request: Omit<WriteRequest, 'sentAt' | 'deadlineMs'>, timeoutMs: number): Promise<Forwarded> {
    const { link, inbox, log, clock } = this.#deps;
    const deadlineMs = Math.max(1, Math.floor(timeoutMs - HANDOVER_MS));
    writeWriteRequest(this.#out, { ...request, sentAt: Math.floor(clock.now()), deadlineMs });
    const payload = this.#out.finish();
    return new Promise((resolve) => {
      let reply: string | undefined;
      try {
        reply = inbox.open(
          {
            onReply: (message) => {
              if (isNoResponders(message)) resolve({ kind: 'none', isInDoubt: false });
              else resolve(parse(message.data, log));
              return false;
            },
            onFailure: () => resolve({ kind: 'none', isInDoubt: true }),
          },
          timeoutMs,
        );
        link.publish(link.subjects.write(owner), payload, { reply });
      } catch {
        // Not sent: the writer here reports what is wrong, or waits until NATS is back.
        if (reply !== undefined) inbox.forget(reply);
        resolve({ kind: 'none', isInDoubt: false });
      }
    });
  }
}

function parse(bytes: Uint8Array, log: Log): Forwarded {
  try {
    return { kind: 'answer', answer: readWriteAnswer(bytes) };
  } catch (error) {
    log.warn('the answer of a channel owner was not understood', { error });
    return { kind: 'none', isInDoubt: true };
  }
}

function isTemporary(answer: WriteAnswer): boolean {
  return answer.kind === 'failed' && answer.isRetriable;
}

function resultOf(answer: WriteAnswer): PublishResult {
  if (answer.kind === 'done') return answer.result;
  throw new OperationalError(answer.code, answer.message, { retriable: answer.isRetriable });
}
