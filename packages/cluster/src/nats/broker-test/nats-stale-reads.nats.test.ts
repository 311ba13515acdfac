import { startNats } from '@carillon/dev-tools/test-nats';
import { expect, onTestFinished, test } from 'vitest';
import { bytes, freshChannel, publishTexts, retain } from '../../contract/broker-setup.ts';
import { freshPrefix, startNode } from './broker-test-cluster.ts';
import { tamperWith } from './tampered-link.ts';

const retention = retain();

test('who has been further than the log seems to be is answered only after something could be stored', async () => {
  const server = await startNats();
  const common = { url: server.url, prefix: freshPrefix() };
  const [owner, edge] = [await startNode(common), await startNode({ ...common, role: 'edge' })];
  onTestFinished(async () => {
    await Promise.all([owner.close(), edge.close()]);
    await server.stop();
  });
  const channel = freshChannel();
  await publishTexts(owner, channel, ['a', 'b'], retention);
  const { top } = await edge.broker.history(channel, { retention, limit: 0 });
  const stream = edge.link.subjects.logStream(edge.link.subjects.shardOf(channel));
  const lastSequence = async (): Promise<number> => {
    const answer = await edge.link.main.request(`$JS.API.STREAM.INFO.${stream}`);
    const { state } = answer.json<{ state: { last_seq: number } }>();
    return state.last_seq;
  };
  const recover = (offset: number) =>
    edge.broker.history(channel, { retention, limit: 10, since: { ...top, offset }, isRecovery: true });
  const before = await lastSequence();
  await recover(1);
  await recover(2);
  expect(await lastSequence()).toBe(before);
  const page = await recover(3);
  expect(page).toEqual({ publications: [], top });
  expect(await lastSequence()).toBeGreaterThan(before);
});

test('a repeat is told the position of the first publication, though a replica that is asked has not heard of it', async () => {
  const server = await startNats();
  const common = { url: server.url, prefix: freshPrefix() };
  // As of a replica that is behind: what is asked for by sequence is not there.
  const onRead = (subject: string, payload: string): string | undefined =>
    subject.includes('DIRECT.GET') && payload.startsWith('{"seq":') ? '{"seq":1000000}' : undefined;
  const [one, behind] = [
    await startNode(common),
    await startNode({ ...common, nodeId: 'n2', tamper: (link) => tamperWith(link, { onRead }) }),
  ];
  onTestFinished(async () => {
    await Promise.all([one.close(), behind.close()]);
    await server.stop();
  });
  const keyed = { channel: freshChannel(), data: bytes('a'), retention, idempotencyKey: 'k' };
  const { position } = await one.broker.publish(keyed);
  await publishTexts(one, keyed.channel, ['b', 'c'], retention);
  expect(await behind.broker.publish(keyed)).toEqual({ position, suppressed: 'idempotency' });
});
