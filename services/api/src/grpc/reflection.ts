import type { handleBidiStreamingCall, Server } from '@grpc/grpc-js';
import { answerReflection, REFLECTION_SERVICES } from './reflection-answer.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * Lets tools ask for the schema of the API.
 * compat: no key is asked for, since reflection is a stream and the key guards unary calls (server-api §4).
 */
export function addReflection(server: Server): void {
  for (const service of REFLECTION_SERVICES) {
    const method = {
      path: `/${service}/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: answerReflection,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    server.addService({ serverReflectionInfo: method }, { serverReflectionInfo: answer });
  }
}

/** A request is its answer by the time it arrives here, so that a malformed one ends the call in the usual way. */
const answer: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on('data', (response: Buffer) => {
    // Whoever asks without reading must not fill our memory.
    if (!call.write(response)) {
      call.pause();
      call.once('drain', () => call.resume());
    }
  });
  call.on('end', () => call.end());
};
