import type { Log } from '@carillon/service-kit';

/** Supervises work that nobody waits for: a failure is logged, never lost and never fatal. */
export type Background = (work: Promise<unknown>, what: string) => void;

export function createBackground(log: Log): Background {
  return (work, what) => {
    work.catch((error: unknown) => log.warn('background work failed', { what, error: String(error) }));
  };
}
