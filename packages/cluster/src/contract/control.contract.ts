import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Control, ControlCommand, SurveyAnswer } from '../control.ts';
import { bytes } from './broker-setup.ts';
import { eventually } from './eventually.ts';
import { RecordingHandler } from './recording-handler.ts';

export interface ControlNode {
  readonly control: Control;
  readonly handler: RecordingHandler;
}

/** One cluster of gateways (or of one standalone node), used by all tests of the suite. */
export interface ControlSetup {
  /** One or more; with several, tests ask the first about the last. */
  readonly nodes: readonly ControlNode[];
  close(): Promise<void>;
}

const DEADLINE_MS = 5_000;

/** The contract of the control port (channels-and-config §2.7, client-protocol §1.6, server-api §7.3 to §7.12). */
export function controlContract(name: string, makeSetup: () => Promise<ControlSetup>): void {
  describe(`control contract: ${name}`, () => {
    let setup: ControlSetup;
    let first: ControlNode;
    let last: ControlNode;

    beforeAll(async () => {
      setup = await makeSetup();
      first = setup.nodes[0]!;
      last = setup.nodes.at(-1)!;
    });

    afterEach(() => {
      for (const { handler } of setup.nodes) {
        handler.applied.length = 0;
        handler.emulated.length = 0;
        Object.assign(handler, new RecordingHandler(), { applied: handler.applied, emulated: handler.emulated });
      }
    });

    afterAll(() => setup?.close());

    describe('nodes', () => {
      it('knows itself and all others, by id', async () => {
        const ids = setup.nodes.map(({ control }) => control.nodeId).sort();
        for (const { control } of setup.nodes) {
          await eventually(() => expect(control.nodes().map(({ id }) => id)).toEqual(ids));
        }
      });

      it('tells name, role, version, time of start and what was reported last', async () => {
        last.control.report({ numClients: 1, numUsers: 2, numChannels: 3, numSubs: 4 });
        const record = () => first.control.nodes().find(({ id }) => id === last.control.nodeId);
        await eventually(() => {
          expect(record()).toMatchObject({ numClients: 1, numUsers: 2, numChannels: 3, numSubs: 4 });
        });
        expect(record()?.name).not.toBe('');
        expect(record()?.version).not.toBe('');
        expect(record()?.startedAt).toBeGreaterThan(1_600_000_000_000);
      });
    });

    describe('commands', () => {
      const select = { user: 'u', client: 'c', session: 's' };
      const commands: ControlCommand[] = [
        {
          kind: 'subscribe',
          select,
          channel: 'news:a.b *>é',
          expireAt: 1_700_000_000,
          info: bytes('{"a":1}'),
          data: Uint8Array.from([0, 255, 128]),
          recoverSince: { offset: 7, epoch: 'abc' },
          override: { presence: { value: true }, joinLeave: {} },
        },
        { kind: 'unsubscribe', select: { user: '' }, channel: 'a', code: 2000, reason: 'why' },
        { kind: 'disconnect', select, code: 3000, reason: 'why', whitelist: ['c1', 'c2'] },
        { kind: 'refresh', select, expired: true, expireAt: 0, info: new Uint8Array(0) },
        { kind: 'rules_changed' },
      ];

      it('reach every node once, in order and as they were', async () => {
        for (const command of commands) await first.control.broadcast(command);
        for (const { handler } of setup.nodes) {
          await eventually(() => expect(handler.applied).toHaveLength(commands.length));
          expect(handler.applied.map(comparable)).toEqual(commands.map(comparable));
        }
      });

      it('have been applied here when the promise resolves', async () => {
        let isApplied = false;
        first.handler.onApply = async () => {
          await Promise.resolve();
          isApplied = true;
        };
        await first.control.broadcast({ kind: 'rules_changed' });
        expect(isApplied).toBe(true);
      });

      it('that fail here fail the call, and reach the others all the same', async () => {
        first.handler.onApply = () => Promise.reject(new Error('as the test says'));
        await expect(first.control.broadcast({ kind: 'rules_changed' })).rejects.toThrow('as the test says');
        await eventually(() => expect(last.handler.applied).toHaveLength(1));
      });
    });

    describe('commands that are waited for', () => {
      const command: ControlCommand = { kind: 'refresh', select: { user: 'u' }, expired: true, expireAt: 0 };

      it('have been applied by every node when the promise resolves, which tells to how many sessions', async () => {
        for (const [index, { handler }] of setup.nodes.entries()) handler.onApply = async () => index + 1;
        const { sessions, reached, missing } = await first.control.command(command, DEADLINE_MS);
        // A broadcast of an earlier test may come late: nobody waited for it.
        const applied = (node: ControlNode) => node.handler.applied.filter(({ kind }) => kind === command.kind);
        for (const node of setup.nodes) expect(applied(node).map(comparable)).toEqual([comparable(command)]);
        expect(sessions).toBe((setup.nodes.length * (setup.nodes.length + 1)) / 2);
        expect([...reached].sort()).toEqual(setup.nodes.map(({ control }) => control.nodeId).sort());
        expect(missing).toEqual([]);
      });

      it('keep the order of those that do not wait for each other', async () => {
        const codes = [3501, 3502, 3503, 3504];
        await Promise.all(
          codes.map((code) =>
            first.control.command(
              { kind: 'disconnect', select: { user: 'u' }, code, reason: '', whitelist: [] },
              DEADLINE_MS,
            ),
          ),
        );
        for (const { handler } of setup.nodes) {
          const applied = handler.applied.flatMap((each) => (each.kind === 'disconnect' ? [each.code] : []));
          expect(applied).toEqual(codes);
        }
      });

      it('that fail here fail the call, and reach the others all the same', async () => {
        first.handler.onApply = () => Promise.reject(new Error('as the test says'));
        await expect(first.control.command(command, DEADLINE_MS)).rejects.toThrow('as the test says');
        expect(last.handler.applied).toHaveLength(1);
      });
    });

    describe('surveys', () => {
      it('gather the answer of each node', async () => {
        for (const [index, { handler }] of setup.nodes.entries()) {
          handler.onAnswer = async () => ({ kind: 'channels', channels: new Map([['a', index + 1]]) });
        }
        const { answers, missing } = await first.control.survey({ kind: 'channels', pattern: 'a*' }, DEADLINE_MS);
        expect(missing).toEqual([]);
        const counts = answers.map((answer) => (answer.kind === 'channels' ? (answer.channels.get('a') ?? 0) : 0));
        expect(counts.sort((a, b) => a - b)).toEqual(setup.nodes.map((_, index) => index + 1));
      });

      it('pass the question on and bring back connections', async () => {
        const connection = {
          appName: 'app',
          appVersion: '1',
          transport: 'websocket',
          protocol: 'json',
          user: 'u',
          connectedAt: 1_700_000_000_000,
          roundTripMs: -1,
          channels: new Map([
            ['a', 3],
            ['é', 10],
          ]),
          connectionToken: { uid: 'id', issuedAt: 1_700_000_000 },
          subscriptionTokens: new Map([['a', { uid: '', issuedAt: 0 }]]),
          meta: Uint8Array.of(0, 255, 10),
        };
        for (const { handler } of setup.nodes) {
          handler.onAnswer = async (question) => {
            if (question.kind !== 'connections' || question.user !== 'u') throw new Error('another question');
            return { kind: 'connections', connections: new Map([['c', connection]]) };
          };
        }
        const { answers, missing } = await first.control.survey({ kind: 'connections', user: 'u' }, DEADLINE_MS);
        expect(missing).toEqual([]);
        const expected: SurveyAnswer = { kind: 'connections', connections: new Map([['c', connection]]) };
        expect(answers).toEqual(setup.nodes.map(() => expected));
      });

      it('tell which users are connected', async () => {
        for (const { handler } of setup.nodes) {
          handler.onAnswer = async (question) => {
            if (question.kind !== 'users') throw new Error('another question');
            return { kind: 'users', users: new Map(question.users.map((user) => [user, 5])) };
          };
        }
        const { answers } = await first.control.survey({ kind: 'users', users: ['a', 'é'] }, DEADLINE_MS);
        const users = new Map([
          ['a', 5],
          ['é', 5],
        ]);
        expect(answers).toEqual(setup.nodes.map(() => ({ kind: 'users', users })));
      });

      it('say who answered what', async () => {
        for (const [index, { handler }] of setup.nodes.entries()) {
          const stats = { numClients: index, numUsers: 2, numChannels: 3, numSubs: 4 };
          handler.onAnswer = async () => ({ kind: 'stats', stats });
        }
        const { answers, answeredBy } = await first.control.survey({ kind: 'stats' }, DEADLINE_MS);
        const byNode = new Map(answeredBy.map((id, index) => [id, answers[index]]));
        for (const [index, { control }] of setup.nodes.entries()) {
          expect(byNode.get(control.nodeId)).toMatchObject({ stats: { numClients: index, numSubs: 4 } });
        }
      });

      it('bring back answers of any size', async () => {
        const channels = new Map(
          Array.from({ length: 60_000 }, (_, index) => [`a channel with quite a long name ${index}`, index]),
        );
        for (const { handler } of setup.nodes) handler.onAnswer = async () => ({ kind: 'channels', channels });
        const { answers } = await first.control.survey({ kind: 'channels', pattern: '' }, DEADLINE_MS);
        expect(answers).toHaveLength(setup.nodes.length);
        for (const answer of answers) expect(answer.kind === 'channels' && answer.channels.size).toBe(60_000);
      });

      it('name the nodes that fail', async () => {
        last.handler.onAnswer = () => Promise.reject(new Error('as the test says'));
        const { answers, missing } = await first.control.survey({ kind: 'channels', pattern: '' }, DEADLINE_MS);
        expect(missing).toEqual([last.control.nodeId]);
        expect(answers).toHaveLength(setup.nodes.length - 1);
      });
    });

    describe('emulation', () => {
      const frame = Uint8Array.from([0, 255, 10, 123]);

      it('hands the frame to the owner of the session and waits until it is done with it', async () => {
        const node = last.control.nodeId;
        let isDone = false;
        last.handler.onEmulate = async () => {
          await Promise.resolve();
          isDone = true;
        };
        expect(await first.control.emulate({ node, session: 's', frame }, DEADLINE_MS)).toBe('done');
        expect(isDone).toBe(true);
        expect(last.handler.emulated).toEqual([{ session: 's', frame: [...frame] }]);
      });

      it('keeps the order of frames that do not wait for each other', async () => {
        const node = last.control.nodeId;
        const sending = [1, 2, 3, 4, 5].map((byte) =>
          first.control.emulate({ node, session: 's', frame: Uint8Array.of(byte) }, DEADLINE_MS),
        );
        await Promise.all(sending);
        expect(last.handler.emulated.map((emulated) => emulated.frame[0])).toEqual([1, 2, 3, 4, 5]);
      });

      it('says when there is no such node', async () => {
        const request = { node: 'no.such *node', session: 's', frame };
        expect(await first.control.emulate(request, DEADLINE_MS)).toBe('unknown_node');
      });

      it('fails when the owner fails', async () => {
        last.handler.onEmulate = () => Promise.reject(new Error('as the test says'));
        const request = { node: last.control.nodeId, session: 's', frame };
        await expect(first.control.emulate(request, DEADLINE_MS)).rejects.toThrow();
      });
    });

    it('serves', () => {
      for (const { control } of setup.nodes) expect(control.unavailable()).toBeUndefined();
    });
  });
}

/** Bytes as lists, so that a Buffer equals an Uint8Array, and what is undefined left out. */
function comparable(command: ControlCommand): unknown {
  return JSON.parse(JSON.stringify(command, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value)));
}
