const END_OF_LINE = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

/** Whether a message is lost, by its subject. */
export type IsLost = (subject: string) => boolean;

/**
 * One direction of a connection to NATS, of which single messages can be lost: reads the frames of the protocol
 * (`PUB`, `HPUB`, `MSG`, `HMSG` have a payload, all else is a line) and gives on what is not.
 */
export class NatsStreamFilter {
  readonly #isLost: IsLost;
  #rest: Buffer = NOTHING;

  constructor(isLost: IsLost) {
    this.#isLost = isLost;
  }

  /** What to give on, now that these bytes have come. */
  take(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const kept: Buffer[] = [];
    let at = 0;
    let keptFrom = 0;
    for (;;) {
      const frame = frameAt(bytes, at);
      if (frame === undefined) break;
      if (frame.subject !== undefined && this.#isLost(frame.subject)) {
        kept.push(bytes.subarray(keptFrom, at));
        keptFrom = frame.end;
      }
      at = frame.end;
    }
    kept.push(bytes.subarray(keptFrom, at));
    this.#rest = bytes.subarray(at);
    return kept.length === 1 ? (kept[0] ?? NOTHING) : Buffer.concat(kept);
  }
}

/** The frame that begins here; undefined while its end has not come. */
function frameAt(bytes: Buffer, at: number): { end: number; subject: string | undefined } | undefined {
  const lineEnd = bytes.indexOf(END_OF_LINE, at);
  if (lineEnd === -1) return undefined;
  const line = bytes.toString('latin1', at, lineEnd);
  if (!/^H?(PUB|MSG) /.test(line)) return { end: lineEnd + 2, subject: undefined };
  const words = line.split(' ');
  const end = lineEnd + 2 + Number(words.at(-1)) + 2;
  return end > bytes.length ? undefined : { end, subject: words[1] };
}
