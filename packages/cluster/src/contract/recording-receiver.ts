import type { ClientInfo } from '@carillon/protocol/client';
import type { LivePublication, LiveReceiver } from '../broker.ts';

export type ReceivedEvent =
  | { readonly kind: 'publication'; readonly live: LivePublication }
  | { readonly kind: 'join' | 'leave'; readonly info: ClientInfo }
  | { readonly kind: 'position_lost' };

const decoder = new TextDecoder();

/** A live receiver that remembers, per channel, what came and in which order. */
export class RecordingReceiver implements LiveReceiver {
  readonly #events: Map<string, ReceivedEvent[]> = new Map();

  onPublication(channel: string, live: LivePublication): void {
    this.#record(channel, { kind: 'publication', live });
  }

  onJoin(channel: string, info: ClientInfo): void {
    this.#record(channel, { kind: 'join', info });
  }

  onLeave(channel: string, info: ClientInfo): void {
    this.#record(channel, { kind: 'leave', info });
  }

  onPositionLost(channel: string): void {
    this.#record(channel, { kind: 'position_lost' });
  }

  events(channel: string): readonly ReceivedEvent[] {
    return this.#events.get(channel) ?? [];
  }

  /** What came with the publications, in order. */
  lives(channel: string): LivePublication[] {
    return this.events(channel).flatMap((event) => (event.kind === 'publication' ? [event.live] : []));
  }

  /** In short: `payload@offset` of a publication, `join client`, `leave client`, `position lost`. */
  log(channel: string): string[] {
    return this.events(channel).map((event) => {
      if (event.kind === 'publication') return textAt(event.live.publication);
      return event.kind === 'position_lost' ? 'position lost' : `${event.kind} ${event.info.client}`;
    });
  }

  #record(channel: string, event: ReceivedEvent): void {
    const events = this.#events.get(channel);
    if (events === undefined) this.#events.set(channel, [event]);
    else events.push(event);
  }
}

/** `payload@offset`, 0 for a publication outside the stream. */
export function textAt(publication: LivePublication['publication']): string {
  return `${decoder.decode(publication.data)}@${publication.offset ?? 0}`;
}
