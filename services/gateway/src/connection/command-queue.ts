import type { Command } from '@carillon/protocol/client';

/**
 * Commands of one connection, in arrival order (client-protocol §3.4 C1 to C3): one after another, or up to
 * `concurrency` at a time. Nothing is queued while handlers answer at once, which most do.
 */
export interface CommandQueue {
  /** Runs the command now or when its turn comes. False when the queue is full; the command is then dropped. */
  push(command: Command): boolean;
  /** Calls `act` once, when everything pushed so far has been handled; at once when nothing waits. */
  whenIdle(act: () => void): void;
  /** Forgets what waits; running handlers go on. */
  clear(): void;
}

/** Commands that may wait behind a slow one. SDKs send a few hundred at once when many subscriptions reconnect. */
export const MAX_WAITING_COMMANDS = 4096;

export interface CommandQueueOptions {
  /** Handlers in flight at once; 0 and 1 mean one (client.concurrency). Asked anew each time: connect goes alone. */
  readonly concurrency: () => number;
  /** Handles one command; returns a promise only when it has to wait. Never rejects. */
  readonly handle: (command: Command) => Promise<void> | undefined;
}

export function createCommandQueue({ concurrency, handle }: CommandQueueOptions): CommandQueue {
  const limit = (): number => Math.max(1, concurrency());
  let waiting: Command[] = [];
  let head = 0;
  let running = 0;
  let afterIdle: (() => void) | undefined;

  function run(command: Command): void {
    const done = handle(command);
    if (done === undefined) return;
    running += 1;
    void done.then(() => {
      running -= 1;
      drain();
    });
  }

  function drain(): void {
    while (running < limit() && head < waiting.length) {
      const command = waiting[head];
      head += 1;
      if (command !== undefined) run(command);
    }
    if (head === waiting.length) {
      waiting = [];
      head = 0;
      if (running === 0) becomeIdle();
    }
  }

  function becomeIdle(): void {
    const act = afterIdle;
    afterIdle = undefined;
    act?.();
  }

  return {
    push(command) {
      if (running < limit() && waiting.length === 0) {
        run(command);
        return true;
      }
      if (waiting.length - head >= MAX_WAITING_COMMANDS) return false;
      waiting.push(command);
      return true;
    },
    whenIdle(act) {
      if (running === 0 && waiting.length === 0) act();
      else afterIdle = act;
    },
    clear() {
      afterIdle = undefined;
      waiting = [];
      head = 0;
    },
  };
}
