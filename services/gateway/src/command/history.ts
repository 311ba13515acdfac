import type { HistoryPage } from '@carillon/cluster';
import type { StreamPosition } from '@carillon/protocol/channel';
import { encodeHistoryReply, type EncodedPublications } from '@carillon/protocol/client';
import { decideHistory } from '@carillon/policy';
import { BAD_REQUEST, ClientError, NOT_AVAILABLE } from '@carillon/protocol/codes';
import type { Session } from '../session/session.ts';
import { askerOf, standingOf } from './asker.ts';
import type { CommandDeps } from './command-deps.ts';
import { EncodedHistories } from './encoded-histories.ts';
import type { CommandHandler } from './handler.ts';
import { throwIfRefused } from './refusal.ts';
import { retentionOf } from './retention.ts';

/** `history` (client-protocol §4.3): full publications, never deltas, never filtered. */
export function createHistory(deps: Pick<CommandDeps, 'settings' | 'broker'>): CommandHandler {
  const encodings = new EncodedHistories();
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
    const page = await deps.broker.history(name, { retention, limit, since, reverse });
    reply(session, command.id ?? 0, encodings.of(name, page.publications, session.codec.kind), page);
  };
}

function reply(session: Session, id: number, encoded: EncodedPublications | undefined, page: HistoryPage): void {
  const { epoch, offset } = page.top;
  const { codec, socket, isClosed } = session;
  if (encoded === undefined) session.reply(id, { history: { publications: page.publications, epoch, offset } });
  else if (!isClosed)
    socket.send(encodeHistoryReply(codec.kind, { id, publications: encoded, epoch, offset }), 'history');
}

/** Negative and too large limits become the configured one; that one being 0 or below lifts it (§4.3). */
function clampLimit(limit: number, max: number): number {
  if (max <= 0) return limit;
  return limit < 0 || limit > max ? max : limit;
}
