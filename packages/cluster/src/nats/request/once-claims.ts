// Idempotency keys of channels without history: who creates the key's message publishes, all others are late.
import type { Clock, OperationalError } from '@carillon/service-kit';
import type { NatsSubjects } from '../nats-subjects.ts';
import type { Nonce } from '../record/publication-body.ts';
import type { DirectGet } from './direct-get.ts';
import type { AppendOutcome, LogPublisher } from './log-publisher.ts';

export interface OnceClaimsDependencies {
  readonly subjects: NatsSubjects;
  readonly publisher: LogPublisher;
  readonly reads: DirectGet;
  readonly clock: Clock;
}

const ATTEMPT_TIMEOUT_MS = 1_000;
const RETRY_MS = 50;

interface Attempt {
  readonly outcome?: AppendOutcome | undefined;
  readonly error?: OperationalError | undefined;
  readonly isInDoubt: boolean;
}

export class OnceClaims {
  readonly #deps: OnceClaimsDependencies;

  constructor(deps: OnceClaimsDependencies) {
    this.#deps = deps;
  }

  /** False: the key has been used. Rejects with an OperationalError after `deadlineMs`. */
  async claim(channel: string, key: string, nonce: Nonce, deadlineMs: number): Promise<boolean> {
    const { clock, subjects, reads } = this.#deps;
    const deadlineAt = clock.monotonic() + deadlineMs;
    const subject = subjects.idempotency(channel, key);
    const content = Buffer.from(`${nonce.writer}.${nonce.serial}`);
    let isInDoubt = false;
    for (;;) {
      const attempt = await this.#try(subject, content);
      if (attempt.outcome?.kind === 'stored') return true;
      if (attempt.outcome !== undefined) {
        if (!isInDoubt) return false;
        // The answer to an earlier attempt was lost: perhaps the key is ours.
        const stored = await reads.lastFromLeader(subjects.idempotencyStream(), subject);
        return stored !== undefined && content.equals(stored.data);
      }
      isInDoubt ||= attempt.isInDoubt;
      const { error } = attempt;
      if (error !== undefined && (!error.retriable || clock.monotonic() + RETRY_MS >= deadlineAt)) throw error;
      await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
  }

  #try(subject: string, content: Uint8Array): Promise<Attempt> {
    return new Promise((resolve) => {
      this.#deps.publisher.append({ subject, content, expectedSequence: 0, ttlSeconds: 0 }, ATTEMPT_TIMEOUT_MS, {
        onOutcome: (outcome) => resolve({ outcome, isInDoubt: false }),
        onFailure: (error, isInDoubt) => resolve({ error, isInDoubt }),
      });
    });
  }
}
