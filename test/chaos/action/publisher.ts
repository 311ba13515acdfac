import type { ChaosNode } from '../cluster/chaos-cluster.ts';
import { payloadOf, tagOfNumber, type Tag } from '../model/payload.ts';
import type { ReferenceLog } from '../model/reference-log.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Random } from '../random.ts';
import { ServerApi, type PublishOutcome } from './server-api.ts';

const RETRIES = 4;
const MAX_PAD_CHARS = 120;

export interface PublisherOptions {
  readonly apis: readonly ChaosNode[];
  readonly logs: ReadonlyMap<string, ReferenceLog>;
  readonly random: Random;
  readonly verdict: Verdict;
}

/** The application's backend: publishes, and tells the model what it was told. */
export class Publisher {
  readonly #options: PublisherOptions;
  #lastSerial = 0;
  /** A server that is cut off answers reads of the log: what they lack says nothing. */
  readsMayBeStale = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** An instance that runs now, whatever its state. */
  api(): ServerApi {
    const { apis, random } = this.#options;
    const running = apis.filter(({ isRunning }) => isRunning);
    return new ServerApi(random.pick(running.length > 0 ? running : apis).port);
  }

  /** Makes a payload that the model expects in this channel, once at most. */
  issue(channel: string, padChars?: number): string {
    return this.#issue(channel, tagOfNumber(this.#lastSerial), padChars);
  }

  /** As {@link issue}, for a client, which can give no tags. */
  issueUntagged(channel: string): string {
    return this.#issue(channel, '');
  }

  async publish(channel: string, padChars?: number): Promise<void> {
    const data = this.issue(channel, padChars);
    this.#settle(channel, data, await this.api().publish(channel, data));
  }

  /** A backend that repeats until it knows, by an idempotency key: at the end there is one. */
  async publishUntilKnown(channel: string): Promise<void> {
    const data = this.issue(channel);
    const key = `k${this.#lastSerial}`;
    for (let attempt = 0; attempt <= RETRIES; attempt += 1) {
      this.#log(channel).note(data, 'asked with a key');
      const outcome = await this.api().publish(channel, data, key);
      this.#settle(channel, data, outcome);
      if (outcome.kind === 'acknowledged') return;
      this.#options.verdict.count('publishes repeated');
    }
  }

  async batch(channels: readonly string[]): Promise<void> {
    const publishes = channels.map((channel) => ({ channel, data: this.issue(channel) }));
    const outcomes = await this.api().batch(publishes);
    for (const [index, { channel, data }] of publishes.entries()) this.#settle(channel, data, outcomes[index]);
  }

  async broadcast(channels: readonly string[]): Promise<void> {
    this.#lastSerial += 1;
    const data = payloadOf(`all/${this.#lastSerial}`, 0, tagOfNumber(this.#lastSerial));
    for (const channel of channels) this.#log(channel).issue(data);
    const outcomes = await this.api().broadcast(channels, data);
    for (const [index, channel] of channels.entries()) this.#settle(channel, data, outcomes[index]);
  }

  async removeHistory(channel: string): Promise<void> {
    const log = this.#log(channel);
    const removal = log.startRemoval();
    this.#options.verdict.count('removals');
    if (await this.api().removeHistory(channel)) log.endRemoval(removal);
  }

  async readHistory(channel: string): Promise<void> {
    const log = this.#log(channel);
    const mayBeStale = this.readsMayBeStale;
    const before = { acknowledged: log.topAcknowledged, askedAt: performance.now() };
    const answer = await this.api().history(channel);
    if (answer === undefined) return this.#options.verdict.count('history reads failed');
    this.#options.verdict.count('history reads');
    if (mayBeStale || this.readsMayBeStale) for (const each of answer.publications) log.observe(each);
    else log.checkHistory(answer, before);
  }

  #settle(channel: string, data: string, outcome: PublishOutcome | undefined): void {
    const { verdict } = this.#options;
    this.#log(channel).note(data, JSON.stringify(outcome));
    if (outcome?.kind === 'acknowledged') {
      verdict.count('acknowledged');
      this.#log(channel).acknowledge(data, outcome);
      return;
    }
    verdict.count(`publish failed: ${outcome?.why ?? 'no outcome'}`);
  }

  #issue(channel: string, tag: Tag, padChars?: number): string {
    this.#lastSerial += 1;
    const { random } = this.#options;
    const text = payloadOf(`${channel}/${this.#lastSerial}`, padChars ?? random.between(0, MAX_PAD_CHARS), tag);
    this.#log(channel).issue(text);
    return text;
  }

  #log(channel: string): ReferenceLog {
    const log = this.#options.logs.get(channel);
    if (log === undefined) throw new Error(`no model of ${channel}`);
    return log;
  }
}
