import type { PublishRequest as BrokerPublish } from '@carillon/cluster';
import { decideMapPublish, decideMapRemove, decidePublish, type ChannelFacts } from '@carillon/policy';
import { PUBLISH_TYPE_MAP, type ClientInfo, type PublishRequest } from '@carillon/protocol/client';
import { ClientError, INTERNAL_ERROR, NOT_AVAILABLE } from '@carillon/protocol/codes';
import type { PublishResult } from '@carillon/protocol/proxy';
import type { Session } from '../session/session.ts';
import { askOf, commonAskFields, resultOf } from '../policy/ask.ts';
import { backendBytes } from '../policy/backend-bytes.ts';
import { askerOf, standingOf } from './asker.ts';
import type { CommandDeps } from './command-deps.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { CommandHandler } from './handler.ts';
import { throwRefusal } from './refusal.ts';
import { retentionOf } from './retention.ts';

const NO_DATA = new Uint8Array(0);

/** `publish` of an ordinary channel (client-protocol §3.5, channels-and-config §1.4). Answered after the broker took it. */
export function createPublish(deps: Pick<CommandDeps, 'settings' | 'broker' | 'decisions'>): CommandHandler {
  return async (session, command) => {
    const request: PublishRequest = command.publish ?? {};
    const settings = deps.settings();
    const name = request.channel ?? '';
    const data = request.data ?? NO_DATA;
    const channel = name === '' ? undefined : settings.channels.resolve(name);
    // compat: every other type is a plain publish.
    if (request.type === PUBLISH_TYPE_MAP) refuseMapPublish(session, { request, channel, settings });
    const verdict = decidePublish({
      name,
      channel,
      data,
      asker: askerOf(session, settings.insecure),
      standing: standingOf(session, name),
      defaultDataFormat: settings.defaultDataFormat,
    });
    if (verdict.kind === 'error' || verdict.kind === 'disconnect') throwRefusal(verdict);
    if (channel === undefined) throw new ClientError(NOT_AVAILABLE);
    if (verdict.kind === 'ask_stream') {
      await publishIntoStream(session, name, data);
      session.reply(command.id ?? 0, { publish: {} });
      return;
    }
    const info = session.clientInfo(session.subscriptions.get(name)?.info);
    const plain = plainPublication(channel, { data, info, metaTtlMs: settings.defaultHistoryMetaTtlMs });
    if (verdict.kind === 'allow') {
      await deps.broker.publish(plain);
    } else {
      const message = { ...commonAskFields(session), channel: name, data };
      const decision = await deps.decisions.publish(askOf(session, verdict.proxyName, message));
      await deps.broker.publish(changedByBackend(plain, resultOf(decision)));
    }
    session.reply(command.id ?? 0, { publish: {} });
  };
}

/** Maps are not built: what is wrong with the request is told first, then error 108 (§7.8). */
function refuseMapPublish(
  session: Session,
  {
    request,
    channel,
    settings,
  }: {
    readonly request: PublishRequest;
    readonly channel: ChannelFacts | undefined;
    readonly settings: GatewaySettings;
  },
): never {
  const { channel: name = '', key = '', removed = false } = request;
  const decide = removed ? decideMapRemove : decideMapPublish;
  const verdict = decide({
    name,
    channel,
    asker: askerOf(session, settings.insecure),
    standing: standingOf(session, name),
    client: session.id,
    key,
  });
  if (verdict.kind === 'error' || verdict.kind === 'disconnect') throwRefusal(verdict);
  throw new ClientError(NOT_AVAILABLE);
}

/** Into the stream that feeds this client's subscription (proxy.md §6.7). */
async function publishIntoStream(session: Session, channel: string, data: Uint8Array): Promise<void> {
  const stream = session.subscriptions.get(channel)?.stream;
  if (stream === undefined) throw new ClientError(NOT_AVAILABLE);
  if (!(await stream.publish(data))) throw new ClientError(INTERNAL_ERROR);
}

interface Publishing {
  readonly data: Uint8Array;
  readonly info: ClientInfo;
  readonly metaTtlMs: number;
}

function plainPublication(channel: ChannelFacts, { data, info, metaTtlMs }: Publishing): BrokerPublish {
  return {
    channel: channel.name,
    data,
    info,
    retention: retentionOf(channel.options, metaTtlMs),
    delta: channel.options.deltaPublish,
  };
}

/** What the publish proxy may change (proxy.md §6.4); `delta_publish` of the namespace does not count on this path. */
function changedByBackend(plain: BrokerPublish, result: PublishResult | undefined): BrokerPublish {
  if (result === undefined) return { ...plain, delta: false };
  const data = result.data ?? backendBytes(result.b64data, undefined) ?? plain.data;
  return {
    ...plain,
    data,
    retention: result.skipHistory === true ? undefined : plain.retention,
    streamRetention: result.skipHistory === true ? plain.retention : undefined,
    tags: result.tags,
    idempotencyKey: result.idempotencyKey,
    delta: result.delta === true,
    version: result.version,
    versionEpoch: result.versionEpoch,
  };
}
