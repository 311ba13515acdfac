import { fork } from 'node:child_process';
import { WORKER_VARIABLE } from './worker-config.ts';
import type { Worker, WorkerEvents } from './supervise-workers.ts';

const READY = 'ready';

/**
 * Starts this command again as a worker. In a process group of its own: a Ctrl-C in the terminal reaches the supervisor
 * alone, which passes it on once.
 */
export function forkWorker(index: number, events: WorkerEvents): Worker {
  const [, script = '', ...args] = process.argv;
  const child = fork(script, args, {
    env: { ...process.env, [WORKER_VARIABLE]: String(index) },
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let isGone = false;
  const gone = (reason: number | string): void => {
    if (isGone) return;
    isGone = true;
    events.onExit(reason);
  };
  child.on('message', (message) => {
    if (message === READY) events.onReady();
  });
  child.on('error', (error) => {
    // Also told of signals that failed; then the process is still there.
    if (child.pid === undefined) gone(error.message);
  });
  child.on('exit', (code, signal) => gone(code ?? signal ?? 'unknown'));
  return { signal: (name) => void child.kill(name) };
}

/** Tells the supervisor that this worker takes clients, and stops it in order when the supervisor is gone. */
export function joinSupervisor(): void {
  process.send?.(READY);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Does not keep the process.
  process.channel?.unref();
}
