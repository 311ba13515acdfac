// What control counts. Without metrics it counts into nothing.
import type { CounterCell, ObserverCell, Metrics } from '@carillon/service-kit';
import type { CommandReach, ControlCommand } from '../../control.ts';

export interface CommandOutcome {
  /** What this node did, in sessions. */
  readonly own: PromiseSettledResult<number>;
  readonly others: PromiseSettledResult<CommandReach>;
  readonly durationMs: number;
}

export interface ControlMetrics {
  commanded(kind: ControlCommand['kind'], outcome: CommandOutcome): void;
}

interface Cells {
  readonly complete: CounterCell;
  readonly incomplete: CounterCell;
  readonly failed: CounterCell;
  readonly sessions: CounterCell;
  readonly duration: ObserverCell;
}

const DURATION_BUCKETS_S: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** @param metrics of the process, under its prefix; each name is registered once. */
export function createControlMetrics(metrics: Metrics | undefined): ControlMetrics {
  if (metrics === undefined) return { commanded: () => undefined };
  const commands = metrics.counter({
    name: 'control_commands_total',
    help: 'Commands to the sessions of all nodes; incomplete: not all said so',
    labels: ['kind', 'outcome'],
  });
  const sessions = metrics.counter({
    name: 'control_command_sessions_total',
    help: 'Sessions that commands were applied to',
    labels: ['kind'],
  });
  const durations = metrics.histogram({
    name: 'control_command_duration_seconds',
    help: 'Time until every node has said that it applied a command',
    labels: ['kind'],
    buckets: DURATION_BUCKETS_S,
  });
  const cells = new Map<string, Cells>();
  const cellsOf = (kind: string): Cells => {
    const known = cells.get(kind);
    if (known !== undefined) return known;
    const made: Cells = {
      complete: commands.with({ kind, outcome: 'complete' }),
      incomplete: commands.with({ kind, outcome: 'incomplete' }),
      failed: commands.with({ kind, outcome: 'failed' }),
      sessions: sessions.with({ kind }),
      duration: durations.with({ kind }),
    };
    cells.set(kind, made);
    return made;
  };
  return {
    commanded(kind, { own, others, durationMs }) {
      const { complete, incomplete, failed, sessions: counted, duration } = cellsOf(kind);
      duration.observe(durationMs / 1000);
      if (own.status === 'fulfilled') counted.inc(own.value);
      if (others.status === 'fulfilled') counted.inc(others.value.sessions);
      if (own.status === 'rejected' || others.status === 'rejected') failed.inc();
      else if (others.value.missing.length > 0) incomplete.inc();
      else complete.inc();
    },
  };
}
