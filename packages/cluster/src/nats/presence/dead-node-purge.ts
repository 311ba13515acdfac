import type { Clock, Log, TimerHandle } from '@carillon/service-kit';
import type { NodeRegistry } from '../control/node-registry.ts';
import type { NatsSubjects } from '../nats-subjects.ts';
import type { PresenceStore } from './presence-store.ts';

/** Between the last sign of a node and the purge of its entries, which nobody counts any more meanwhile. */
const PURGE_DELAY_MS = 10_000;
/** Nodes that wait for their purge. */
const MAX_WAITING = 10_000;

export interface DeadNodePurgeDeps {
  readonly store: Pick<PresenceStore, 'lastSequence' | 'purge'>;
  readonly registry: Pick<NodeRegistry, 'peers' | 'isAlive' | 'isConnected'>;
  readonly subjects: NatsSubjects;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly delayMs?: number | undefined;
}

/**
 * Frees what dead nodes have left in the presence stream, with one request each.
 *
 * A purge reaches only as far as the stream went when the node was last missed: a node that comes back announces its
 * entries again, and those are newer.
 */
export class DeadNodePurge {
  readonly #store: DeadNodePurgeDeps['store'];
  readonly #registry: DeadNodePurgeDeps['registry'];
  readonly #subjects: NatsSubjects;
  readonly #nodeId: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #delayMs: number;
  readonly #waiting: Map<string, TimerHandle> = new Map();
  #isClosed = false;

  constructor({ store, registry, subjects, nodeId, clock, log, delayMs }: DeadNodePurgeDeps) {
    this.#store = store;
    this.#registry = registry;
    this.#subjects = subjects;
    this.#nodeId = nodeId;
    this.#clock = clock;
    this.#log = log;
    this.#delayMs = delayMs ?? PURGE_DELAY_MS;
  }

  /** The registry has given a node up: the survivor with the lowest id cleans up. */
  onGone(nodeId: string): void {
    const survivors = this.#registry.peers().filter(({ role }) => role !== 'auth-policy');
    if (survivors.every(({ id }) => this.#nodeId < id)) this.purgeSoon(nodeId);
  }

  /** Purges the entries of a node unless it turns up before. Also for those that died when nobody was there to see it. */
  purgeSoon(nodeId: string): void {
    if (this.#isClosed || this.#waiting.has(nodeId) || this.#waiting.size >= MAX_WAITING) return;
    const purging = (): void => void this.#purge(nodeId, lastSequence);
    const lastSequence = this.#store.lastSequence();
    // Looked at after the delay.
    lastSequence.catch(() => undefined);
    const timer = this.#clock.setTimer(this.#delayMs, purging);
    timer.unref();
    this.#waiting.set(nodeId, timer);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  async #purge(nodeId: string, lastSequence: Promise<number>): Promise<void> {
    try {
      if (this.#registry.isAlive(nodeId) || !this.#registry.isConnected) return;
      await this.#store.purge(this.#subjects.presenceOfNode(nodeId), await lastSequence);
      this.#log.info('purged the presence of a dead node', { node: nodeId });
    } catch (error) {
      // Nobody counts these entries; the next read that meets them asks for another purge.
      this.#log.warn('could not purge the presence of a dead node', { node: nodeId, error });
    } finally {
      this.#waiting.delete(nodeId);
    }
  }
}
