import type { Command } from '@carillon/protocol/client';
import type { Session } from '../session/session.ts';

/**
 * Executes one command of a connected session and answers it. Throws (or rejects with) `ClientError` for an error
 * reply, `Disconnect` to end the connection; anything else becomes error 100. Returns a promise only when it waits.
 */
export type CommandHandler = (session: Session, command: Command) => Promise<void> | undefined;
