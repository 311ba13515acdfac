import type { StreamFraming } from './shared-chunks.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const NOTHING = new Uint8Array(0);

/** One message a line (JSON over HTTP streams). */
export const LINE_FRAMING: StreamFraming = { prefix: NOTHING, suffix: ascii('\n') };

/** Protobuf messages bring their length. */
export const NO_FRAMING: StreamFraming = { prefix: NOTHING, suffix: NOTHING };

/** One message an event (server-sent events). */
export const EVENT_FRAMING: StreamFraming = { prefix: ascii('data: '), suffix: ascii('\n\n') };

/** First bytes of an event stream: a blank line, which means nothing, shows the client that the stream is open. */
export const EVENT_STREAM_OPENING: Uint8Array = ascii('\r\n');
