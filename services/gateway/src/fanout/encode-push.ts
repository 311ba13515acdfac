import {
  codecFor,
  encodePublicationPush,
  type ClientInfo,
  type Publication,
  type PublicationPushOptions,
} from '@carillon/protocol/client';
import { isValidJson } from '@carillon/protocol/wire';
import type { WireForm } from '../edge/socket.ts';
import type { DeltaUse } from './channel/publication-group.ts';
import type { DeltaBase } from './delta/delta-base.ts';
import { jsonStringOf, type DeltaPatch } from './delta/delta-patch.ts';
import type { HubMetrics } from './hub-metrics.ts';

const NO_DATA: Uint8Array = new Uint8Array(0);

const PLAIN: PublicationPushOptions = { dataForm: 'raw', delta: false };
const WHOLE: PublicationPushOptions = { dataForm: 'string', delta: false };
const PATCH: PublicationPushOptions = { dataForm: 'string', delta: true };

export function isJsonForm(form: WireForm): boolean {
  return form === 'json' || form === 'uni_json';
}

export interface PublicationFramesOptions {
  readonly channel: string;
  readonly publication: Publication;
  /** Epoch of the stream, '' outside it. */
  readonly epoch: string;
  /** Where patches start, or undefined when this publication must go in full. */
  readonly base: DeltaBase | undefined;
  readonly metrics: HubMetrics;
}

/** The encoded frames of one shape, each made when it is first asked for. */
interface Frames {
  json: Uint8Array | undefined;
  protobuf: Uint8Array | undefined;
  uni_json: Uint8Array | undefined;
  uni_protobuf: Uint8Array | undefined;
}

function noFrames(): Frames {
  return { json: undefined, protobuf: undefined, uni_json: undefined, uni_protobuf: undefined };
}

/** The frames of one publication: each wire variant is encoded when it is first asked for, and once. */
export class PublicationFrames {
  readonly #options: PublicationFramesOptions;
  readonly #plain: Frames = noFrames();
  #whole: Frames | undefined = undefined;
  #patched: Frames | undefined = undefined;
  #isPatchMade = false;
  #patch: DeltaPatch | undefined = undefined;
  #isJson: boolean | undefined = undefined;

  constructor(options: PublicationFramesOptions) {
    this.#options = options;
  }

  /** Whether JSON connections can take it. */
  get isJson(): boolean {
    this.#isJson ??= isJsonPublication(this.#options.publication);
    return this.#isJson;
  }

  /** The frame for a form and a use of delta. Frames are shared: nobody may write to one. */
  frame(form: WireForm, delta: DeltaUse): Uint8Array {
    if (delta === 'none') return this.#plainFrame(form);
    const patch = delta === 'ready' ? this.#usablePatch(form) : undefined;
    if (patch !== undefined) return this.#patchFrame(form, patch);
    return isJsonForm(form) ? this.#wholeFrame(form) : this.#plainFrame(form);
  }

  #usablePatch(form: WireForm): DeltaPatch | undefined {
    if (!this.#isPatchMade) {
      this.#isPatchMade = true;
      this.#patch = this.#options.base?.patchTo(this.#options.publication);
      if (this.#patch !== undefined) this.#options.metrics.patches.inc();
    }
    return isJsonForm(form) && this.#patch?.isText === false ? undefined : this.#patch;
  }

  #plainFrame(form: WireForm): Uint8Array {
    const { publication, epoch } = this.#options;
    return (this.#plain[form] ??= this.#encode(form, plainPublication(publication, epoch), PLAIN));
  }

  #wholeFrame(form: WireForm): Uint8Array {
    const { publication } = this.#options;
    const frames = (this.#whole ??= noFrames());
    return (frames[form] ??= this.#encode(form, deltaPublication(publication, publication.data), WHOLE));
  }

  #patchFrame(form: WireForm, patch: DeltaPatch): Uint8Array {
    const { publication } = this.#options;
    const frames = (this.#patched ??= noFrames());
    return (frames[form] ??= this.#encode(form, deltaPublication(publication, patch.bytes), PATCH));
  }

  #encode(form: WireForm, publication: Publication, options: PublicationPushOptions): Uint8Array {
    this.#options.metrics.framesEncoded.inc();
    return encodePublication(form, this.#options.channel, publication, options);
  }
}

/** A publication as clients see it live: the epoch only with the first one of a stream, never a time (§2.5, §4.2). */
function plainPublication({ data, info, offset = 0, tags, version }: Publication, epoch: string): Publication {
  return { data, info, offset, tags, epoch: offset === 1 ? epoch : undefined, version };
}

/** A copy for delta subscribers: without epoch and version (§5.2 D4). */
function deltaPublication({ info, offset, tags }: Publication, data: Uint8Array | undefined): Publication {
  return { data, info, offset, tags };
}

function encodePublication(
  form: WireForm,
  channel: string,
  publication: Publication,
  options: PublicationPushOptions,
): Uint8Array {
  if (form === 'json' || form === 'protobuf') return encodePublicationPush(form, channel, publication, options);
  const { data = NO_DATA } = publication;
  const isString = form === 'uni_json' && options.dataForm === 'string';
  const pub: Publication = { ...publication, data: isString ? jsonStringOf(data) : data, delta: options.delta };
  return codecFor(form === 'uni_json' ? 'json' : 'protobuf').encodePush({ channel, pub });
}

/** Whether payload and publisher's info may stand in JSON (§2.1 J9). */
export function isJsonPublication({ data = NO_DATA, info }: Publication): boolean {
  return isJsonPayload(data) && (info === undefined || isJsonInfo(info));
}

/** Whether a client's info may stand in JSON. */
export function isJsonInfo({ connInfo, chanInfo }: ClientInfo): boolean {
  return (connInfo === undefined || isJsonPayload(connInfo)) && (chanInfo === undefined || isJsonPayload(chanInfo));
}

/** An empty payload is left out of the frame. */
function isJsonPayload(payload: Uint8Array): boolean {
  return payload.length === 0 || isValidJson(payload);
}
