import { apiFile } from '@carillon/protocol/api';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../fixture/start-api.ts';
import { bytesField } from './protobuf-field.ts';
import { answerReflection, REFLECTION_SERVICES } from './reflection-answer.ts';

const question = (number: number, text: string): Buffer => bytesField(number, Buffer.from(text));
const file = Buffer.from(apiFile.descriptor);

describe('server reflection', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k', reflection: true } });
  });
  afterAll(() => api.close());

  /** The answers to questions that are sent at once, or the code the call ended with. */
  const ask = (service: string, questions: Buffer[], address = api.grpcAddress): Promise<Buffer[] | number> => {
    const client = new Client(address, credentials.createInsecure());
    const asIs = (bytes: Buffer): Buffer => bytes;
    return new Promise<Buffer[] | number>((resolve) => {
      const answers: Buffer[] = [];
      const call = client.makeBidiStreamRequest(`/${service}/ServerReflectionInfo`, asIs, asIs);
      call.on('data', (answer: Buffer) => answers.push(answer));
      call.on('end', () => undefined);
      call.on('error', () => undefined);
      call.on('status', ({ code }) => resolve(code === status.OK ? answers : code));
      for (const it of questions) call.write(it);
      call.end();
    }).finally(() => client.close());
  };

  it.each(REFLECTION_SERVICES)('answers over %s without a key', async (service) => {
    const answers = await ask(service, [question(7, ''), question(4, `${apiFile.service}.Publish`)]);
    expect(answers).toHaveLength(2);
    const [services, symbol] = answers as Buffer[];
    expect(services?.includes('centrifugal.centrifugo.api.CentrifugoApi')).toBe(true);
    expect(symbol?.includes(file)).toBe(true);
  });

  it('knows the file, its messages and nothing else', () => {
    const hasFile = (number: number, text: string): boolean => answerReflection(question(number, text)).includes(file);
    expect(hasFile(3, 'api.proto')).toBe(true);
    expect(hasFile(4, 'centrifugal.centrifugo.api.PublishRequest')).toBe(true);
    for (const [number, text] of [
      [3, 'x.proto'],
      [4, 'centrifugal.centrifugo.api.Nope'],
      [5, ''],
      [6, 'x'],
    ] as const) {
      expect(hasFile(number, text)).toBe(false);
      expect(answerReflection(question(number, text)).includes('not found')).toBe(true);
    }
  });

  it('ends calls with malformed questions, and lives on', async () => {
    for (const bytes of [Buffer.from([0x08, 1]), Buffer.from([0x22, 0x7f]), Buffer.alloc(5_000, 0xff)]) {
      expect(await ask(REFLECTION_SERVICES[0] ?? '', [bytes])).toBe(13);
    }
    expect(await ask(REFLECTION_SERVICES[0] ?? '', [question(7, '')])).toHaveLength(1);
  });

  it('is there only when it is configured', async () => {
    const other = await startApi({ grpc_api: { enabled: true } });
    expect(await ask(REFLECTION_SERVICES[0] ?? '', [question(7, '')], other.grpcAddress)).toBe(12);
    await other.close();
  });
});
