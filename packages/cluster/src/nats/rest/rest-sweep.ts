// The marks of channels at rest that their writer did not live to write. When a node is lost, and when an owner starts, the
// records of the last minutes are looked through, and the channels that are ours now wait for their marks here.
import { OperationalError, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { NodeRecord } from '../../control.ts';
import type { NatsSubjects } from '../nats-subjects.ts';
import type { ScannedMessage, ScanStart, StreamScan } from '../request/stream-scan.ts';
import { ownerOf } from '../owner/channel-owner.ts';
import { REST_AFTER_MS } from './rest-keeper.ts';

export interface RestSweepDependencies {
  readonly scan: Pick<StreamScan, 'read' | 'lastTimeMs'>;
  readonly subjects: NatsSubjects;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodes: () => readonly NodeRecord[];
  readonly nodeId: string;
  /** The channel may lack its mark. */
  readonly onFound: (channel: string) => void;
}

const TICK_MS = 5_000;
/** A node is given up some seconds after its last sign of life, and its last marks may have been late. */
const LOOK_BACK_MS: number = 2 * REST_AFTER_MS + 30_000;
const MESSAGES_PER_READ = 256;
const PAUSE_MS = 10;
/** Of one stream; a sweep is a help, not a promise. */
const MAX_READS = 20_000;
const RETRY_AFTER_MS = 30_000;

export class RestSweep {
  readonly #deps: RestSweepDependencies;
  #known: ReadonlySet<string> | undefined;
  #dueAt: number;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(deps: RestSweepDependencies) {
    this.#deps = deps;
    this.#dueAt = deps.clock.monotonic();
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.setTimer(TICK_MS, () => {
      this.#tick()
        .catch((error: unknown) => this.#deps.log.error('the log was not looked through', { error }))
        .finally(() => this.#schedule());
    });
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    const { clock, log, nodes } = this.#deps;
    const living = new Set(nodes().map(({ id }) => id));
    const isLost = [...(this.#known ?? [])].some((id) => !living.has(id));
    this.#known = living;
    if (isLost) this.#dueAt = Math.min(this.#dueAt, clock.monotonic());
    if (clock.monotonic() < this.#dueAt) return;
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      const numFound = await this.#sweep();
      log.debug('looked for channels whose writer is gone', { channels: numFound });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      log.debug('the log can not be looked through yet', { error });
      this.#dueAt = clock.monotonic() + RETRY_AFTER_MS;
    }
  }

  async #sweep(): Promise<number> {
    const { subjects, onFound, nodes, nodeId } = this.#deps;
    const found = new Set<string>();
    for (let shard = 0; shard < subjects.shards && !this.#isClosed; shard++) {
      await this.#sweepStream(subjects.logStream(shard), (channel) => {
        if (found.has(channel) || ownerOf(channel, nodes()) !== nodeId) return;
        found.add(channel);
        onFound(channel);
      });
    }
    return found.size;
  }

  async #sweepStream(stream: string, visit: (channel: string) => void): Promise<void> {
    const { scan, subjects, clock } = this.#deps;
    const lastTimeMs = await scan.lastTimeMs(stream);
    if (lastTimeMs === undefined) return;
    // After an outage of everything the last minutes are those before it.
    let start: ScanStart = { timeMs: Math.min(clock.now(), lastTimeMs) - LOOK_BACK_MS };
    for (let reads = 0; reads < MAX_READS && !this.#isClosed; reads++) {
      const messages: ScannedMessage[] = await scan.read(stream, start, MESSAGES_PER_READ);
      for (const { subject } of messages) {
        const channel = subjects.channelOfLog(subject);
        if (channel !== undefined) visit(channel);
      }
      const end = messages.at(-1);
      if (end === undefined || messages.length < MESSAGES_PER_READ) return;
      start = { sequence: end.sequence + 1 };
      await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve));
    }
  }
}
