import { apiMethods, type ClientInfo, type PresenceResponse } from '@carillon/protocol/api';

const { response: codec, result: memberCodec } = apiMethods.presence;
const BEFORE_MEMBER = '{"presence":{'.length;
const AFTER_MEMBER = '}}'.length;
/** Object keys that are numbers would be written first, in their order. */
const NUMBER_KEY = /^\d{1,10}$/;
const MAX_NUMBER_LENGTH = 10;

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
    for (const [client, info] of members) {
      if (client.length <= MAX_NUMBER_LENGTH && NUMBER_KEY.test(client)) return writeAll(members);
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

function writeAll(members: ReadonlyMap<string, ClientInfo>): Uint8Array {
  const response: PresenceResponse = { result: { presence: Object.fromEntries(members) } };
  return codec.writeJson(response);
}
