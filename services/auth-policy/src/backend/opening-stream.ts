import type { SubscribeResponse } from '@carillon/protocol/proxy';

import { backendFailure } from './backend-failure.ts';
import type { BackendStream } from './backend.ts';

/** A stream that may have to wait for its turn before the backend hears of it; it can be given up at any time. */
export class OpeningStream {
  readonly #start: () => BackendStream;
  #stream: BackendStream | undefined = undefined;
  #cancelledFor: Error | undefined = undefined;
  #isPaused = false;

  constructor(start: () => BackendStream) {
    this.#start = start;
  }

  /** Starts it. The signal gives it up while its response has not come. */
  async open(signal: AbortSignal): Promise<SubscribeResponse> {
    if (this.#cancelledFor !== undefined) throw this.#cancelledFor;
    const stream = this.#start();
    this.#stream = stream;
    if (this.#isPaused) stream.pause();
    const onAbort = (): void => stream.cancel(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await stream.first;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The stream as others see it. */
  opened(first: Promise<SubscribeResponse>): BackendStream {
    return {
      first,
      publish: (data) => this.#stream?.publish(data) ?? false,
      cancel: (reason) => {
        this.#cancelledFor = backendFailure('proxy_abandoned', 'the stream was given up', reason);
        this.#stream?.cancel(this.#cancelledFor);
      },
      pause: () => {
        this.#isPaused = true;
        this.#stream?.pause();
      },
      resume: () => {
        this.#isPaused = false;
        this.#stream?.resume();
      },
    };
  }
}
