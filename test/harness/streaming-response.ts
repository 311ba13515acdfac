import { within } from './eventually.ts';

const DEADLINE_MS = 20_000;

/** The response of a streaming transport, read as it comes. */
export class StreamingResponse {
  readonly status: number;
  readonly headers: Headers;
  #text = '';
  #hasEnded = false;
  readonly #abort: AbortController;
  #wake: (() => void) | undefined = undefined;
  readonly #chunks: Uint8Array[] = [];

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#abort = abort;
    void this.#read(response);
  }

  static async open(url: string, init: RequestInit = {}): Promise<StreamingResponse> {
    const abort = new AbortController();
    const response = await within(fetch(url, { ...init, signal: abort.signal }), DEADLINE_MS, 'response head');
    return new StreamingResponse(response, abort);
  }

  get text(): string {
    return this.#text;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Waits until the text so far fits. */
  async until(pattern: RegExp | string, deadlineMs = DEADLINE_MS): Promise<string> {
    const fits = (): boolean => (typeof pattern === 'string' ? this.#text.includes(pattern) : pattern.test(this.#text));
    const wait = async (): Promise<string> => {
      while (!fits()) {
        if (this.#hasEnded) throw new Error(`the stream ended before ${pattern}: ${JSON.stringify(this.#text)}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      return this.#text;
    };
    return within(wait(), deadlineMs, `stream text ${pattern} (has ${JSON.stringify(this.#text)})`);
  }

  async ended(deadlineMs = DEADLINE_MS): Promise<string> {
    const wait = async (): Promise<string> => {
      while (!this.#hasEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
      return this.#text;
    };
    return within(wait(), deadlineMs, 'end of stream');
  }

  /** JSON lines or SSE events so far. */
  messages(): unknown[] {
    const lines = this.#text.split('\n').map((line) => line.replace(/^data: /, '').trim());
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        this.#chunks.push(chunk);
        this.#text += decoder.decode(chunk, { stream: true });
        this.#wake?.();
      }
    } catch (error) {
      // The test closed it, or the server broke it off: an end either way.
      void error;
    }
    this.#hasEnded = true;
    this.#wake?.();
  }
}
