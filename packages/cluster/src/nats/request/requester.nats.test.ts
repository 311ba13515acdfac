import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { systemClock as clock } from '@carillon/service-kit';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isNoResponders, ReplyInbox } from './reply-inbox.ts';
import { Requester } from './requester.ts';

describe('requests to NATS', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let requester: Requester;
  const payload = new TextEncoder().encode('question');
  const subject = `requester.${process.pid}.${Date.now().toString(36)}`;

  beforeAll(async () => {
    nats = await startNats();
    connection = await connect({ servers: nats.url });
  });

  beforeEach(() => {
    const publish = (to: string, bytes: Uint8Array, options: { reply?: string }): void =>
      connection.publish(to, bytes, options);
    requester = new Requester({ connection, publish, clock });
  });

  afterEach(() => requester.close());

  afterAll(async () => {
    await connection.close();
    await nats.stop();
  });

  it('get the first reply, each its own', async () => {
    const echo = connection.subscribe(subject, {
      callback: (_error, message) => {
        message.respond(message.data);
        message.respond('late');
      },
    });
    const questions = Array.from({ length: 100 }, (_, index) => `question ${index}`);
    const replies = await Promise.all(
      questions.map((text) => {
        const request = { subject, payload: new TextEncoder().encode(text), deadlineMs: 2_000 };
        return requester.request(request);
      }),
    );
    expect(replies.map((reply) => reply.string())).toEqual(questions);
    echo.unsubscribe();
  });

  it('collect replies until one is the last', async () => {
    const echo = connection.subscribe(subject, {
      callback: (_error, message) => {
        for (const part of ['1', '2', '3', '4']) message.respond(part);
      },
    });
    const parts: string[] = [];
    await requester.collect({ subject, payload, deadlineMs: 2_000 }, (reply) => {
      parts.push(reply.string());
      return parts.length < 3 ? 'more' : 'last';
    });
    await connection.flush();
    expect(parts).toEqual(['1', '2', '3']);
    echo.unsubscribe();
  });

  it('end with what the visitor throws', async () => {
    const echo = connection.subscribe(subject, { callback: (_error, message) => void message.respond('x') });
    const collecting = requester.collect({ subject, payload, deadlineMs: 2_000 }, () => {
      throw new RangeError('as the test says');
    });
    await expect(collecting).rejects.toThrow('as the test says');
    echo.unsubscribe();
  });

  it('are told at once when nobody listens', async () => {
    const reply = await requester.request({ subject: `${subject}.nobody`, payload, deadlineMs: 5_000 });
    expect(isNoResponders(reply)).toBe(true);
  });

  it('fail after their deadline', async () => {
    const silent = connection.subscribe(subject, { callback: () => undefined });
    const startedAt = performance.now();
    const asking = requester.request({ subject, payload, deadlineMs: 100 });
    await expect(asking).rejects.toMatchObject({ name: 'OperationalError', code: 'nats_timeout' });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
    silent.unsubscribe();
  });

  it('fail when they are closed, and can not be made afterwards', async () => {
    const silent = connection.subscribe(subject, { callback: () => undefined });
    const asking = requester.request({ subject, payload, deadlineMs: 5_000 });
    requester.close();
    await expect(asking).rejects.toMatchObject({ code: 'nats_closed' });
    await expect(requester.request({ subject, payload, deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'nats_closed',
    });
    silent.unsubscribe();
  });

  it('are refused beyond the bound to those in flight, until one has ended', () => {
    const inbox = new ReplyInbox({ connection, clock, maxPending: 2 });
    const handler = { onReply: () => false, onFailure: () => undefined };
    const first = inbox.open(handler, 5_000);
    inbox.open(handler, 5_000);
    expect(() => inbox.open(handler, 5_000)).toThrow('in flight');
    inbox.forget(first);
    expect(() => inbox.open(handler, 5_000)).not.toThrow();
    inbox.close();
  });
});
