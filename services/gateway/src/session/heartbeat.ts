import { type Clock, NOT_SCHEDULED, TimerWheel, type WheelEntry } from '@carillon/service-kit';
import type { Session } from './session.ts';

/** Pings of many connections on one timer (client-protocol §3.3). One connection is in at most once. */
export interface Heartbeat<E = Session> {
  /** Starts the pings of a connection with the timing of this moment. Pings are off when the interval is not above 0. */
  add(subject: E): void;
  /** `unexpected`: no ping is outstanding, also for a connection that is not in. */
  pong(subject: E): 'ok' | 'unexpected';
  remove(subject: E): void;
  /** Connections that are in. */
  readonly size: number;
  stop(): void;
}

export interface HeartbeatTiming {
  readonly intervalMs: number;
  readonly pongTimeoutMs: number;
}

export interface HeartbeatOptions<E> {
  readonly clock: Clock;
  readonly timing: (subject: E) => HeartbeatTiming;
  /** Fraction of the interval, 0 to 1, that passes before the first ping. See {@link spreadFirstPing}. */
  readonly firstPing: () => number;
  /** Unidirectional clients can't answer: they are pinged and never time out. */
  readonly expectsPong: (subject: E) => boolean;
  readonly onPing: (subject: E) => void;
  /** The connection has been removed already. */
  readonly onPongTimeout: (subject: E) => void;
  readonly onPong?: ((subject: E, roundTripMs: number) => void) | undefined;
}

export type CreateHeartbeat = <E>(options: HeartbeatOptions<E>) => Heartbeat<E>;

/** The first ping comes in [interval/2, interval), so that a mass reconnect does not ping in step ever after. */
export function spreadFirstPing(random: () => number): () => number {
  return () => 0.5 + random() / 2;
}

const TICK_MS = 50;
const SLOTS = 1024;

class Beat<E> implements WheelEntry<Beat<E>> {
  readonly subject: E;
  readonly intervalMs: number;
  readonly pongTimeoutMs: number;
  wheelNext: Beat<E> | undefined = undefined;
  wheelPrevious: Beat<E> | undefined = undefined;
  wheelSlot: number = NOT_SCHEDULED;
  wheelDueTick = 0;
  /** The next turn of the wheel ends the wait for a pong; otherwise it is time for a ping. */
  isWaiting = false;
  isPongMissing = false;
  pingedAt = 0;

  constructor(subject: E, { intervalMs, pongTimeoutMs }: HeartbeatTiming) {
    this.subject = subject;
    this.intervalMs = intervalMs;
    this.pongTimeoutMs = pongTimeoutMs;
  }
}

export function createHeartbeat<E>(options: HeartbeatOptions<E>): Heartbeat<E> {
  const { clock } = options;
  // Bounded by the connections: each is removed when it closes.
  const beats = new Map<E, Beat<E>>();
  const wheel: TimerWheel<Beat<E>> = new TimerWheel({ clock, tickMs: TICK_MS, slots: SLOTS, onDue });

  function onDue(beat: Beat<E>): void {
    if (!beat.isWaiting) {
      ping(beat);
    } else if (beat.isPongMissing) {
      beats.delete(beat.subject);
      options.onPongTimeout(beat.subject);
    } else {
      beat.isWaiting = false;
      wheel.schedule(beat, beat.pingedAt + beat.intervalMs - clock.monotonic());
    }
  }

  function ping(beat: Beat<E>): void {
    beat.pingedAt = clock.monotonic();
    // One pong may come, whether or not it is waited for.
    beat.isPongMissing = true;
    if (options.expectsPong(beat.subject)) {
      beat.isWaiting = true;
      wheel.schedule(beat, beat.pongTimeoutMs);
    } else {
      wheel.schedule(beat, beat.intervalMs);
    }
    options.onPing(beat.subject);
  }

  function remove(subject: E): void {
    const beat = beats.get(subject);
    if (beat === undefined) return;
    beats.delete(subject);
    wheel.cancel(beat);
  }

  return {
    add(subject) {
      remove(subject);
      const timing = options.timing(subject);
      if (timing.intervalMs <= 0) return;
      const beat = new Beat(subject, timing);
      beats.set(subject, beat);
      wheel.schedule(beat, timing.intervalMs * options.firstPing());
    },
    pong(subject) {
      const beat = beats.get(subject);
      if (beat === undefined || !beat.isPongMissing) return 'unexpected';
      // The wheel entry stays: when it is due, it finds the pong and waits for the next ping.
      beat.isPongMissing = false;
      options.onPong?.(subject, clock.monotonic() - beat.pingedAt);
      return 'ok';
    },
    remove,
    get size() {
      return beats.size;
    },
    stop() {
      beats.clear();
      wheel.stop();
    },
  };
}
