import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log/log.ts';

type ProcessEvent = 'SIGTERM' | 'SIGINT' | 'unhandledRejection' | 'uncaughtException';

/** The part of `process` that is needed, so that tests can send signals to themselves. */
export interface ProcessEvents {
  on(event: ProcessEvent, listener: (value: unknown) => void): unknown;
  off(event: ProcessEvent, listener: (value: unknown) => void): unknown;
  exit(code: number): void;
}

export interface ProcessSignalsOptions {
  readonly lifecycle: Pick<Lifecycle, 'stop'>;
  readonly log: Log;
  readonly process?: ProcessEvents | undefined;
}

const FORCED_EXIT_CODE = 130;

/**
 * Ends the process in order: SIGTERM and SIGINT drain and exit 0, a second signal exits 130 at once; an error that nobody
 * handled is a bug: log, drain, exit 1, and a second one meanwhile exits at once. Returns a function that takes it all back.
 */
export function handleProcessSignals({ lifecycle, log, process: target = process }: ProcessSignalsOptions): () => void {
  let isStopping = false;
  const stop = (reason: string, exitCode: number): void => {
    isStopping = true;
    void lifecycle.stop(reason).then(() => target.exit(exitCode));
  };
  const onSignal = (signal: unknown): void => {
    if (isStopping) {
      log.warn('second signal, exiting at once', { signal });
      target.exit(FORCED_EXIT_CODE);
    } else {
      stop(String(signal), 0);
    }
  };
  const onBug = (error: unknown): void => {
    log.fatal('unexpected error', { error });
    if (isStopping) target.exit(1);
    else stop('unexpected error', 1);
  };
  const listeners: readonly [ProcessEvent, (value: unknown) => void][] = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['unhandledRejection', onBug],
    ['uncaughtException', onBug],
  ];
  for (const [event, listener] of listeners) target.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) target.off(event, listener);
  };
}
