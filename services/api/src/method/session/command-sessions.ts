import type { Control, ControlCommand } from '@carillon/cluster';
import { OperationalError } from '@carillon/service-kit';

/** How long nodes have to say that they have applied a command. One round trip is enough; a silent node must not hang callers. */
export const COMMAND_DEADLINE_MS = 2_000;

/**
 * Does something to the sessions of all nodes. A node that fails or does not say in time that it is done rejects the whole,
 * which the caller sees as error 100: it may repeat the call, since each command can be applied twice without harm.
 */
export async function commandSessions(control: Pick<Control, 'command'>, command: ControlCommand): Promise<void> {
  const { sessions, reached, missing } = await control.command(command, COMMAND_DEADLINE_MS);
  if (missing.length === 0) return;
  throw new OperationalError(
    'command_incomplete',
    `${command.kind} reached ${sessions} sessions on ${reached.length} nodes; not known of ${missing.join(', ')}`,
  );
}
