import { isValidJson } from '../wire/raw-json.ts';
import { connectRequestCodec, emulationRequestCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { ConnectRequest, EmulationRequest } from './frames.ts';

/** The body of `POST /emulation`, in the encoding its content type names. Throws ProtocolViolation (status 400). */
export function decodeEmulationRequest(body: Uint8Array, kind: ClientCodec['kind']): EmulationRequest {
  return kind === 'json' ? emulationRequestCodec.readJson(body) : emulationRequestCodec.readProtobuf(body);
}

/**
 * The frame of commands in an emulation request, for a connection of the given encoding. Undefined when the data of a
 * JSON connection is not a JSON string: such a request is dropped without a word. `null` is an empty frame.
 */
export function emulationFrame(request: EmulationRequest, kind: ClientCodec['kind']): Uint8Array | undefined {
  const data = request.data ?? new Uint8Array(0);
  if (kind === 'protobuf') return data;
  // Decoding has proved that the data is JSON, unless the body was Protobuf.
  if (!isValidJson(data)) return undefined;
  const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
  if (value === null) return new Uint8Array(0);
  return typeof value === 'string' ? new TextEncoder().encode(value) : undefined;
}

/**
 * The connect request of a unidirectional transport: JSON text, `null` being an empty request, or the Protobuf message of
 * the gRPC call, whose fields have the same numbers. Throws ProtocolViolation.
 */
export function decodeConnectRequest(bytes: Uint8Array, kind: ClientCodec['kind'] = 'json'): ConnectRequest {
  return kind === 'json' ? connectRequestCodec.readJson(bytes) : connectRequestCodec.readProtobuf(bytes);
}
