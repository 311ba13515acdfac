import type { Command } from '@carillon/protocol/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { CommandQueue, MAX_WAITING_BYTES, MAX_WAITING_COMMANDS } from './command-queue.ts';

const command = (id: number): Command => ({ id });

describe('the commands of a connection', () => {
  let handled: number[];
  let inFlight: (() => void)[];
  let concurrency: number;
  let queue: CommandQueue;

  beforeEach(() => {
    handled = [];
    inFlight = [];
    concurrency = 1;
    queue = new CommandQueue({
      concurrency: () => concurrency,
      handle({ id = 0 }) {
        handled.push(id);
        return new Promise((resolve) => inFlight.push(resolve));
      },
    });
  });

  /** Lets the oldest handler end. */
  const end = async (): Promise<void> => {
    inFlight.shift()?.();
    await new Promise((resolve) => void setImmediate(resolve));
  };

  it('run one after the other, or as many at once as may', async () => {
    for (const id of [1, 2, 3, 4]) queue.push(command(id), 10);
    expect(handled).toEqual([1]);
    await end();
    expect(handled).toEqual([1, 2]);
    concurrency = 2;
    await end();
    expect(handled).toEqual([1, 2, 3, 4]);
    expect(queue.isIdle).toBe(false);
  });

  it('fill the queue with their number, however many a frame holds', async () => {
    queue.push(command(0), 1);
    for (let id = 1; id < MAX_WAITING_COMMANDS; id += 1) queue.push(command(id), 0);
    expect(queue.isFull).toBe(false);
    for (let id = 0; id < 10; id += 1) queue.push(command(MAX_WAITING_COMMANDS + id), 0);
    expect(queue.isFull).toBe(true);
    for (let count = 0; count < 10; count += 1) await end();
    expect(queue.isFull).toBe(false);
    expect(handled).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('fill the queue with the bytes of their frames', async () => {
    queue.push(command(0), MAX_WAITING_BYTES);
    expect(queue.isFull).toBe(false);
    queue.push(command(1), MAX_WAITING_BYTES);
    expect(queue.isFull).toBe(true);
    await end();
    expect(queue.isFull).toBe(false);
    queue.push(command(2), MAX_WAITING_BYTES);
    expect(queue.isFull).toBe(true);
    queue.clear();
    expect(queue.isFull).toBe(false);
  });

  it('keep their order while the queue never runs empty', async () => {
    const total = 5_000;
    queue.push(command(0), 0);
    for (let id = 1; id < total; id += 1) {
      queue.push(command(id), 1);
      if (id > 3) {
        inFlight.shift()?.();
        await Promise.resolve();
        await Promise.resolve();
      }
    }
    while (inFlight.length > 0) await end();
    expect(handled).toEqual(Array.from({ length: total }, (_, id) => id));
    expect(queue.isIdle).toBe(true);
  });
});
