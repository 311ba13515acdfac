import { isValidJson } from '../wire/raw-json.ts';
import type { ClientInfo, ConnectResult, Publication, Reply } from './frames.ts';

/**
 * Whether every payload of a reply may stand in JSON (§2.1 J9). Recovered publications are not looked at: whoever recovers
 * them has looked already. An empty payload is left out of the reply, so it does no harm.
 */
export function hasJsonPayloads({ connect, subscribe, history, presence, rpc, push }: Reply): boolean {
  if (subscribe !== undefined) return isPayload(subscribe.data);
  if (history !== undefined) return areJsonPublications(history.publications);
  if (presence !== undefined) return Object.values(presence.presence ?? {}).every(isInfo);
  if (rpc !== undefined) return isPayload(rpc.data);
  if (connect !== undefined) return isConnect(connect);
  if (push?.subscribe !== undefined) return isPayload(push.subscribe.data);
  return push?.connect === undefined || isConnect(push.connect);
}

/** Whether payloads and infos of all publications may stand in JSON. */
export function areJsonPublications(publications: readonly Publication[] | undefined): boolean {
  return publications?.every(({ data, info }) => isPayload(data) && (info === undefined || isInfo(info))) ?? true;
}

function isConnect({ data, subs }: Pick<ConnectResult, 'data' | 'subs'>): boolean {
  return isPayload(data) && Object.values(subs ?? {}).every((result) => isPayload(result.data));
}

function isInfo({ connInfo, chanInfo }: ClientInfo): boolean {
  return isPayload(connInfo) && isPayload(chanInfo);
}

function isPayload(payload: Uint8Array | undefined): boolean {
  return payload === undefined || payload.length === 0 || isValidJson(payload);
}
