import type { TopicPublisher, WireForm } from '../../edge/socket.ts';
import type { Subscriber } from '../subscriber.ts';

export interface PushGroupOptions {
  readonly form: WireForm;
  /** Name of the transport topic; unused while no member takes topics. */
  readonly topic: string;
  /** Members leave again with the next publication: don't bother the transport with a topic. */
  readonly isTransient?: boolean | undefined;
}

/** Subscribers of one channel that get the same bytes. Sends once for all whose transport has topics, loops over the rest. */
export class PushGroup {
  readonly form: WireForm;
  readonly isText: boolean;
  readonly #topic: string;
  readonly #isTransient: boolean;
  #topicMembers = 0;
  readonly #looped: Set<Subscriber> = new Set();

  constructor({ form, topic, isTransient = false }: PushGroupOptions) {
    this.form = form;
    this.isText = form === 'json' || form === 'uni_json';
    this.#topic = topic;
    this.#isTransient = isTransient;
  }

  get size(): number {
    return this.#topicMembers + this.#looped.size;
  }

  /** Members without a topic; all of them in a transient group. Live view. */
  get looped(): ReadonlySet<Subscriber> {
    return this.#looped;
  }

  add(subscriber: Subscriber): void {
    if (this.#usesTopic(subscriber)) {
      this.#topicMembers += 1;
      subscriber.socket.subscribe(this.#topic);
    } else {
      this.#looped.add(subscriber);
    }
  }

  /** Takes out a member; only ever called with one. */
  remove(subscriber: Subscriber): void {
    if (this.#usesTopic(subscriber)) {
      this.#topicMembers -= 1;
      subscriber.socket.unsubscribe(this.#topic);
    } else {
      this.#looped.delete(subscriber);
    }
  }

  /** Hands the message to every member. A member may leave meanwhile (a socket that turns out to be slow). */
  send(message: Uint8Array, publisher: TopicPublisher): void {
    if (this.#topicMembers > 0) publisher.publish(this.#topic, message, this.form, this.#topicMembers);
    for (const subscriber of this.#looped) subscriber.socket.send(message);
  }

  #usesTopic(subscriber: Subscriber): boolean {
    return !this.#isTransient && subscriber.socket.traits.topics;
  }
}
