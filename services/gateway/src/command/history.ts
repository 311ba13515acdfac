import type { StreamPosition } from '@carillon/protocol/channel';
import { decideHistory } from '@carillon/policy';
import { BAD_REQUEST, ClientError, NOT_AVAILABLE } from '@carillon/protocol/codes';
import { askerOf, standingOf } from './asker.ts';
import type { CommandDeps } from './command-deps.ts';
import type { CommandHandler } from './handler.ts';
import { throwIfRefused } from './refusal.ts';
import { retentionOf } from './retention.ts';

/** `history` (client-protocol §4.3): full publications, never deltas, never filtered. */
export function createHistory(deps: Pick<CommandDeps, 'settings' | 'broker'>): CommandHandler {
  return async (session, command) => {
    const request = command.history ?? {};
    const settings = deps.settings();
    const name = request.channel ?? '';
    const channel = name === '' ? undefined : settings.channels.resolve(name);
    throwIfRefused(decideHistory(name, channel, askerOf(session, settings.insecure), standingOf(session, name)));
    const retention = channel && retentionOf(channel.options, settings.defaultHistoryMetaTtlMs);
    if (retention === undefined) throw new ClientError(NOT_AVAILABLE);
    const since: StreamPosition | undefined = request.since && {
      offset: request.since.offset ?? 0,
      epoch: request.since.epoch ?? '',
    };
    const reverse = request.reverse ?? false;
    if (reverse && since?.offset === 0) throw new ClientError(BAD_REQUEST);
    const limit = clampLimit(request.limit ?? 0, settings.historyLimit);
    const { publications, top } = await deps.broker.history(name, { retention, limit, since, reverse });
    session.reply(command.id ?? 0, { history: { publications, epoch: top.epoch, offset: top.offset } });
  };
}

/** Negative and too large limits become the configured one; that one being 0 lifts it (§4.3). */
function clampLimit(limit: number, max: number): number {
  if (max === 0) return limit;
  return limit < 0 || limit > max ? max : limit;
}
