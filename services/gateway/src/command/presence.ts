import { decidePresence } from '@carillon/policy';
import type { ClientInfo } from '@carillon/protocol/client';
import type { Session } from '../session/session.ts';
import { askerOf, standingOf } from './asker.ts';
import type { CommandDeps } from './command-deps.ts';
import type { CommandHandler } from './handler.ts';
import { throwIfRefused } from './refusal.ts';

type PresenceDeps = Pick<CommandDeps, 'settings' | 'presence'>;

/** `presence`: client id to client info, over all nodes. */
export function createPresence(deps: PresenceDeps): CommandHandler {
  return async (session, command) => {
    const channel = command.presence?.channel ?? '';
    checkAccess(deps, session, channel);
    const members: Record<string, ClientInfo> = Object.fromEntries(await deps.presence.members(channel));
    session.reply(command.id ?? 0, { presence: { presence: members } });
  };
}

/** `presence_stats`: entries and distinct users. */
export function createPresenceStats(deps: PresenceDeps): CommandHandler {
  return async (session, command) => {
    const channel = command.presenceStats?.channel ?? '';
    checkAccess(deps, session, channel);
    const { numClients, numUsers } = await deps.presence.stats(channel);
    session.reply(command.id ?? 0, { presenceStats: { numClients, numUsers } });
  };
}

function checkAccess({ settings }: PresenceDeps, session: Session, name: string): void {
  const { channels, insecure } = settings();
  const facts = name === '' ? undefined : channels.resolve(name);
  throwIfRefused(decidePresence(name, facts, askerOf(session, insecure), standingOf(session, name)));
}
