import type { TopicPublisher, WireForm } from '../../edge/socket.ts';
import type { FrameType } from '../../session/frame-type.ts';
import type { Subscriber } from '../subscriber.ts';

export interface PushGroupOptions {
  readonly form: WireForm;
  /** Name of the transport topic; unused while no member takes topics. */
  readonly topic: string;
  /** Members leave again with the next publication: don't bother the transport with a topic. */
  readonly isTransient?: boolean | undefined;
}

/**
 * Subscribers of one channel that get the same bytes. Sends once for all whose transport has topics, loops over the rest.
 * Who is alone in a group needs no topic: channels of one client are many, and what it is sent shares frames then.
 */
export class PushGroup {
  readonly form: WireForm;
  readonly isText: boolean;
  readonly #topic: string;
  readonly #isTransient: boolean;
  #topicMembers = 0;
  /** Has no topic yet, although its transport has them: there is nobody else. */
  #alone: Subscriber | undefined = undefined;
  readonly #looped: Set<Subscriber> = new Set();

  constructor({ form, topic, isTransient = false }: PushGroupOptions) {
    this.form = form;
    this.isText = form === 'json' || form === 'uni_json';
    this.#topic = topic;
    this.#isTransient = isTransient;
  }

  get size(): number {
    return this.#topicMembers + this.#looped.size + (this.#alone === undefined ? 0 : 1);
  }

  /** Members without a topic; all of them in a transient group. Live view. */
  get looped(): ReadonlySet<Subscriber> {
    return this.#looped;
  }

  add(subscriber: Subscriber): void {
    if (!this.#usesTopic(subscriber)) this.#looped.add(subscriber);
    else if (this.#topicMembers === 0 && this.#alone === undefined) this.#alone = subscriber;
    else {
      if (this.#alone !== undefined) this.#join(this.#alone);
      this.#alone = undefined;
      this.#join(subscriber);
    }
  }

  /** Takes out a member; only ever called with one. */
  remove(subscriber: Subscriber): void {
    if (!this.#usesTopic(subscriber)) this.#looped.delete(subscriber);
    else if (this.#alone === subscriber) this.#alone = undefined;
    else {
      this.#topicMembers -= 1;
      subscriber.socket.unsubscribe(this.#topic);
    }
  }

  /** Hands the message to every member. A member may leave meanwhile (a socket that turns out to be slow). */
  send(message: Uint8Array, frameType: FrameType, publisher: TopicPublisher): void {
    this.#alone?.socket.send(message, frameType);
    if (this.#topicMembers > 0) {
      publisher.publish(this.#topic, message, { form: this.form, frameType, receivers: this.#topicMembers });
    }
    for (const subscriber of this.#looped) subscriber.socket.send(message, frameType);
  }

  #join(subscriber: Subscriber): void {
    this.#topicMembers += 1;
    subscriber.socket.subscribe(this.#topic);
  }

  #usesTopic(subscriber: Subscriber): boolean {
    return !this.#isTransient && subscriber.socket.traits.topics;
  }
}
