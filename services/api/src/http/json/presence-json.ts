import { apiMethods, type ClientInfo } from '@carillon/protocol/api';
import { inByteOrder } from '@carillon/protocol/wire';

const memberCodec = apiMethods.presence.result;
const BEFORE_MEMBER = '{"presence":{'.length;
const AFTER_MEMBER = '}}'.length;
/**
 * Writes the answers of `presence`, byte for byte what the codec writes, and remembers the text of each member for as long
 * as somebody holds that member: of a large channel few come and go between two answers.
 */
export class PresenceJson {
  /** `"client":{…}`, one character a byte: payloads need not be UTF-8. */
  readonly #texts: WeakMap<ClientInfo, string> = new WeakMap();

  /** Throws InvalidPayload where the information of a client is not JSON. */
  write(members: ReadonlyMap<string, ClientInfo>): Uint8Array {
    let text = '{"result":{"presence":{';
    let separator = '';
    for (const client of inByteOrder([...members.keys()])) {
      const info = members.get(client);
      if (info === undefined) continue;
      text += separator + this.#textOf(client, info);
      separator = ',';
    }
    return Buffer.from(`${text}}}}`, 'latin1');
  }

  #textOf(client: string, info: ClientInfo): string {
    // What is remembered has the client id of the entry itself as its key.
    if (info.client !== client) return memberText(client, info);
    let text = this.#texts.get(info);
    if (text === undefined) {
      text = memberText(client, info);
      this.#texts.set(info, text);
    }
    return text;
  }
}

function memberText(client: string, info: ClientInfo): string {
  const json = memberCodec.writeJson({ presence: { [client]: info } });
  return Buffer.from(json.buffer, json.byteOffset, json.length).toString(
    'latin1',
    BEFORE_MEMBER,
    json.length - AFTER_MEMBER,
  );
}
