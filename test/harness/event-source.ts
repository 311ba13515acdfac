/** As much of a browser's EventSource as the official client uses. Node 22 has none unless started with a flag. */
export class EventSource {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  readonly #abort: AbortController = new AbortController();

  constructor(url: string) {
    void this.#read(url);
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(url: string): Promise<void> {
    const { signal } = this.#abort;
    try {
      const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
      if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
      this.onopen?.();
      let rest = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        const events = `${rest}${text}`.split(/\r?\n\r?\n/);
        rest = events.pop() ?? '';
        for (const event of events) this.#tell(event);
      }
      throw new Error('the stream has ended');
    } catch (error) {
      if (!signal.aborted) this.onerror?.(error);
    }
  }

  /** Events without a data line are comments. */
  #tell(event: string): void {
    const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
    if (lines.length === 0 || this.#abort.signal.aborted) return;
    this.onmessage?.({ data: lines.map((line) => line.slice('data:'.length).replace(/^ /, '')).join('\n') });
  }
}
