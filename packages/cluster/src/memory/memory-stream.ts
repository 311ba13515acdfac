import type { Publication } from '@carillon/protocol/client';
import type { StreamPosition } from '@carillon/protocol/channel';
import { NOT_SCHEDULED, type WheelEntry } from '@carillon/service-kit';
import { BrokerError, type HistoryRequest, type Retention } from '../broker.ts';
import { Ring } from './ring.ts';

/**
 * One life of a channel's stream: epoch, top, version and the retained publications (channels-and-config §2.2).
 * Owns no timer: callers say what time it is (ms, monotonic), the broker's wheel wakes it for expiry.
 *
 * invariant: the retained publications are contiguous and end at the top, or there are none.
 */
export class MemoryStream implements WheelEntry<MemoryStream> {
  readonly channel: string;
  readonly epoch: string;
  #top = 0;
  readonly #retained: Ring<Publication> = new Ring();
  #listExpiresAt = Infinity;
  #metaExpiresAt = Infinity;
  #version: number | bigint = 0;
  #versionEpoch = '';

  wheelNext: MemoryStream | undefined = undefined;
  wheelPrevious: MemoryStream | undefined = undefined;
  wheelSlot: number = NOT_SCHEDULED;
  wheelDueTick = 0;

  constructor(channel: string, epoch: string) {
    this.channel = channel;
    this.epoch = epoch;
  }

  get position(): StreamPosition {
    return { offset: this.#top, epoch: this.epoch };
  }

  /** When something here expires next; Infinity before the first touch. */
  get expiresAt(): number {
    return Math.min(this.#listExpiresAt, this.#metaExpiresAt);
  }

  /** Drops what has had its time; false when the whole stream has. */
  expire(now: number): boolean {
    if (now >= this.#metaExpiresAt) return false;
    if (now >= this.#listExpiresAt) this.clear();
    return true;
  }

  /** Keeps epoch and top for another meta ttl. */
  touch(now: number, retention: Retention): void {
    this.#metaExpiresAt = now + retention.historyMetaTtlMs;
  }

  /** Whether a publication of this version must be left out (channels-and-config §2.3). */
  suppresses(version: number | bigint, versionEpoch: string): boolean {
    return version <= this.#version && (versionEpoch === '' || versionEpoch === this.#versionEpoch);
  }

  /** compat: publications without a version in between leave the stored one, as Redis does. */
  rememberVersion(version: number | bigint, versionEpoch: string): void {
    this.#version = version;
    this.#versionEpoch = versionEpoch;
  }

  /** Stores a publication that was made for `nextOffset` and makes the list live for another history ttl. */
  append(publication: Publication, now: number, retention: Retention): void {
    this.#top += 1;
    this.#retained.push(publication);
    while (this.#retained.size > retention.historySize) this.#retained.dropFirst();
    this.#listExpiresAt = now + retention.historyTtlMs;
    this.touch(now, retention);
  }

  get nextOffset(): number {
    return this.#top + 1;
  }

  get hasPublications(): boolean {
    return this.#retained.size > 0;
  }

  clear(): void {
    this.#retained.clear();
    this.#listExpiresAt = Infinity;
  }

  /** The publications that a request asks for; what a smaller `historySize` would not have kept is left out. */
  read({ retention, limit, since, reverse = false }: HistoryRequest): Publication[] {
    if (reverse && since?.offset === 0) throw new BrokerError('bad_request');
    if (since !== undefined && since.epoch !== '' && since.epoch !== this.epoch) {
      throw new BrokerError('unrecoverable');
    }
    const count = Math.min(this.#retained.size, retention.historySize);
    const oldest = this.#top - count + 1;
    return reverse
      ? this.#readDescending(oldest, this.#newestBefore(since), limit)
      : this.#readAscending(Math.max(oldest, since === undefined ? 0 : since.offset + 1), limit);
  }

  #newestBefore(since: StreamPosition | undefined): number {
    if (since === undefined) return this.#top;
    return since.offset > this.#top + 1 ? 0 : since.offset - 1;
  }

  #readAscending(from: number, limit: number): Publication[] {
    const last = limit < 0 ? this.#top : Math.min(this.#top, from + limit - 1);
    const publications: Publication[] = [];
    for (let offset = from; offset <= last; offset += 1) this.#collect(offset, publications);
    return publications;
  }

  #readDescending(oldest: number, from: number, limit: number): Publication[] {
    const last = limit < 0 ? oldest : Math.max(oldest, from - limit + 1);
    const publications: Publication[] = [];
    for (let offset = from; offset >= last; offset -= 1) this.#collect(offset, publications);
    return publications;
  }

  #collect(offset: number, into: Publication[]): void {
    const publication = this.#retained.at(offset - this.#top + this.#retained.size - 1);
    if (publication !== undefined) into.push(publication);
  }
}
