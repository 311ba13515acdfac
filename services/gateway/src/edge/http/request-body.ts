import type { HttpResponse } from 'uWebSockets.js';

/** A request whose handler has returned, and that the client may abort at any time. */
export class PendingResponse {
  readonly res: HttpResponse;
  isAborted = false;
  /** Called when the client gives up, or the connection is closed by us. */
  onAbort: (() => void) | undefined = undefined;

  /** Must be made in the handler: uWebSockets.js ends the process when nobody watches for an abort. */
  constructor(res: HttpResponse) {
    this.res = res;
    res.onAborted(() => {
      this.isAborted = true;
      this.onAbort?.();
    });
  }
}

/** Bytes over the limit that are read and thrown away, so that the client gets to read the answer. */
const MAX_DISCARDED_BYTES = 1_048_576;

/**
 * Reads the body and calls `done` once, unless the request is aborted before. `too_large`: perhaps not all of it was read,
 * so the connection must be closed. uWebSockets.js closes connections whose body does not arrive (10 s without a byte).
 */
export function readBody(res: HttpResponse, limitBytes: number, done: (body: Uint8Array | 'too_large') => void): void {
  let chunks: Uint8Array[] = [];
  let length = 0;
  let isDone = false;
  res.onData((chunk, isLast) => {
    if (isDone) return;
    length += chunk.byteLength;
    if (length > limitBytes) {
      chunks = [];
      isDone = isLast || length > limitBytes + MAX_DISCARDED_BYTES;
      if (isDone) done('too_large');
      return;
    }
    // A copy: uWebSockets.js takes the memory back.
    if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk).slice());
    if (!isLast) return;
    isDone = true;
    done(join(chunks, length));
  });
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
