import { randomInt } from 'node:crypto';
import type { Nonce } from './publication-body.ts';

export interface Nonces {
  next(): Nonce;
}

/** Nonces of this process: a random writer, drawn anew when its serials are used up. */
export function createNonces(draw: () => number = () => randomInt(2 ** 32)): Nonces {
  let writer = draw();
  let serial = 0;
  return {
    next: () => {
      serial += 1;
      if (serial >= 2 ** 32) {
        writer = draw();
        serial = 1;
      }
      return { writer, serial };
    },
  };
}
