import { randomFillSync } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const EPOCH_LETTERS = 8;

/** Fills the bytes at random. */
export type RandomFill = (bytes: Uint8Array) => void;

/**
 * A new epoch: 8 letters, so never '_', which clients take for an invalid state (client-protocol §4.1).
 * 45 bits are plenty to tell the lives of one channel apart.
 */
export function createEpoch(randomFill: RandomFill = randomFillSync): string {
  const bytes = new Uint8Array(EPOCH_LETTERS);
  randomFill(bytes);
  let epoch = '';
  for (const byte of bytes) epoch += LETTERS[byte % LETTERS.length];
  return epoch;
}
