import { EventEmitter } from 'node:events';

import { describe, expect, it } from 'vitest';

import { createSilentLog } from './log/log.ts';
import { handleProcessSignals } from './process-signals.ts';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

function setUp() {
  const process = new FakeProcess();
  const stopped = Promise.withResolvers<void>();
  const reasons: string[] = [];
  const lifecycle = {
    stop: (reason: string) => {
      reasons.push(reason);
      return stopped.promise;
    },
  };
  const takeBack = handleProcessSignals({ lifecycle, log: createSilentLog(), process });
  const finish = async (): Promise<void> => {
    stopped.resolve();
    await new Promise((resolve) => void setImmediate(resolve));
  };
  return { process, reasons, finish, takeBack };
}

describe('handleProcessSignals', () => {
  it.each(['SIGTERM', 'SIGINT'])('drains on %s and exits 0 when that is done', async (signal) => {
    const { process, reasons, finish } = setUp();
    process.emit(signal, signal);
    expect([reasons, process.exits]).toEqual([[signal], []]);
    await finish();
    expect(process.exits).toEqual([0]);
  });

  it('exits at once on a second signal', () => {
    const { process } = setUp();
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    expect(process.exits).toEqual([130]);
  });

  it.each(['unhandledRejection', 'uncaughtException'])('drains on %s and exits 1', async (event) => {
    const { process, reasons, finish } = setUp();
    process.emit(event, new Error('bug'));
    await finish();
    expect([reasons, process.exits]).toEqual([['unexpected error'], [1]]);
  });

  it('exits 1 at once on an error while it drains', () => {
    const { process } = setUp();
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('uncaughtException', new Error('bug'));
    expect(process.exits).toEqual([1]);
  });

  it('leaves the process alone once it is taken back', () => {
    const { process, takeBack } = setUp();
    takeBack();
    expect(process.eventNames()).toEqual([]);
  });
});
