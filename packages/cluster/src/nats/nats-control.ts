import { randomUUID } from 'node:crypto';
import type { Msg, Subscription } from '@nats-io/nats-core';
import { OperationalError, withDeadline, type Clock, type Log, type Metrics } from '@carillon/service-kit';
import type {
  CommandReach,
  Control,
  ControlCommand,
  ControlHandler,
  EmulationFrame,
  NodeRecord,
  NodeStats,
  SurveyAnswer,
  SurveyQuestion,
  SurveyResult,
} from '../control.ts';
import type { NodeIdentity } from '../node-identity.ts';
import {
  decodeControlMessage,
  decodeControlReply,
  encodeControlMessage,
  encodeControlReply,
  joinAnswers,
  splitAnswer,
  type ControlMessage,
  type ControlReply,
} from './control/control-message.ts';
import { CommandTally } from './control/command-tally.ts';
import { createControlMetrics, type ControlMetrics } from './control/control-metrics.ts';
import { NodeRegistry } from './control/node-registry.ts';
import { TaskLimit } from './control/task-limit.ts';
import type { NatsLink } from './nats-connection.ts';
import { isNoResponders } from './request/reply-inbox.ts';
import { Requester } from './request/requester.ts';

/** How long a broadcast may take to reach the server. */
const FLUSH_DEADLINE_MS = 5_000;
/** What others ask of this node, worked at and waiting. */
const MAX_RUNNING_TASKS = 1_024;
const MAX_QUEUED_TASKS = 16_384;

const NOTHING: NodeStats = { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 };

export interface NatsControlDeps {
  /** Shared; closed by its owner after this. */
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: NodeIdentity;
  readonly handler: ControlHandler;
  readonly metrics?: Metrics | undefined;
  /** Default: a random UUID. */
  readonly nodeId?: string | undefined;
  /** For tests: other times than those of the specification. */
  readonly heartbeatMs?: number | undefined;
  readonly peerTimeoutMs?: number | undefined;
}

/** Control over core NATS, and the registry that presence and broker look at. */
export interface NatsControl extends Control {
  readonly registry: NodeRegistry;
}

/** Makes this node known to the cluster; resolves when it knows the others. */
export async function createNatsControl(deps: NatsControlDeps): Promise<NatsControl> {
  const control = new CoreNatsControl(deps);
  await control.start();
  return control;
}

class CoreNatsControl implements NatsControl {
  readonly nodeId: string;
  readonly registry: NodeRegistry;
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: NodeIdentity;
  readonly #handler: ControlHandler;
  readonly #metrics: ControlMetrics;
  readonly #startedAt: number;
  readonly #inbox: Requester;
  readonly #tasks: TaskLimit = new TaskLimit(MAX_RUNNING_TASKS, MAX_QUEUED_TASKS);
  readonly #subscriptions: Subscription[] = [];
  #stats: NodeStats = NOTHING;
  #nodesKnown: { revision: number; stats: NodeStats; nodes: readonly NodeRecord[] } | undefined;
  #isClosed = false;

  constructor({ link, clock, log, node, handler, metrics, nodeId, heartbeatMs, peerTimeoutMs }: NatsControlDeps) {
    this.nodeId = nodeId ?? randomUUID();
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#node = node;
    this.#handler = handler;
    this.#metrics = createControlMetrics(metrics);
    this.#startedAt = clock.now();
    this.#inbox = new Requester({
      connection: link.main,
      publish: (subject, payload, options) => link.publish(subject, payload, options),
      clock,
    });
    this.registry = new NodeRegistry({
      link,
      clock,
      log,
      heartbeatMs,
      peerTimeoutMs,
      nodeId: this.nodeId,
      describeSelf: () => this.#describeSelf(),
    });
  }

  async start(): Promise<void> {
    const { main, subjects } = this.#link;
    // Commands are for sessions: who has none is spared every one of them.
    const own = subjects.controlNode(this.nodeId);
    for (const subject of hasSessions(this.#node) ? [subjects.controlAll(), own] : [own]) {
      const callback = (error: Error | null, message: Msg): void => {
        if (error === null) this.#onMessage(message);
        else this.#log.error('control subscription failed', { subject, error });
      };
      this.#subscriptions.push(main.subscribe(subject, { callback }));
    }
    // Whoever hears of this node may command it at once: the registry comes after the subscriptions.
    await this.registry.start();
  }

  /** The same list as before while nothing has changed: publishes ask for it. */
  nodes(): readonly NodeRecord[] {
    const { revision } = this.registry;
    if (this.#nodesKnown?.revision !== revision || this.#nodesKnown.stats !== this.#stats) {
      const nodes = [...this.registry.peers(), this.#describeSelf()].sort((a, b) => (a.id < b.id ? -1 : 1));
      this.#nodesKnown = { revision, stats: this.#stats, nodes };
    }
    return this.#nodesKnown.nodes;
  }

  async broadcast(command: ControlCommand): Promise<void> {
    this.#assertOpen();
    const applying = this.#handler.apply(command);
    const telling = this.#tellAll(command);
    // Both have their say, whichever fails: what could not be told is applied here all the same, and the other way round.
    const [applied, told] = await Promise.allSettled([applying, telling]);
    if (applied.status === 'rejected') throw applied.reason;
    if (told.status === 'rejected') throw told.reason;
  }

  async command(command: ControlCommand, deadlineMs: number): Promise<CommandReach> {
    this.#assertOpen();
    const startedAt = this.#clock.monotonic();
    const [own, others] = await Promise.allSettled([
      withDeadline(this.#handler.apply(command), deadlineMs, 'control_timeout', this.#clock),
      this.#commandOthers(command, deadlineMs),
    ]);
    const durationMs = this.#clock.monotonic() - startedAt;
    this.#metrics.commanded(command.kind, { own, others, durationMs });
    if (own.status === 'rejected') throw own.reason;
    if (others.status === 'rejected') throw others.reason;
    const { sessions, reached, missing } = others.value;
    const reach: CommandReach = hasSessions(this.#node)
      ? { sessions: sessions + own.value, reached: [this.nodeId, ...reached], missing }
      : others.value;
    this.#log.debug('command given', { kind: command.kind, durationMs, ...reach });
    return reach;
  }

  async survey(question: SurveyQuestion, deadlineMs: number): Promise<SurveyResult> {
    this.#assertOpen();
    const asked = this.nodes().filter(hasSessions);
    const outcomes = await Promise.allSettled(asked.map(({ id }) => this.#ask(id, question, deadlineMs)));
    const answers: SurveyAnswer[] = [];
    const answeredBy: string[] = [];
    const missing: string[] = [];
    for (const [index, { id }] of asked.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === 'fulfilled') {
        answers.push(outcome.value);
        answeredBy.push(id);
      } else {
        missing.push(id);
        this.#log.warn('node did not answer a survey', { node: id, kind: question.kind, error: outcome?.reason });
      }
    }
    return { answers, answeredBy, missing };
  }

  async emulate({ node, session, frame }: EmulationFrame, deadlineMs: number): Promise<'done' | 'unknown_node'> {
    this.#assertOpen();
    if (node === this.nodeId) {
      await withDeadline(this.#handler.emulate(session, frame), deadlineMs, 'emulation_timeout', this.#clock);
      return 'done';
    }
    // Not looked up in the registry: the server knows better, and at once, whether anybody listens there.
    const reply = await this.#inbox.request({
      subject: this.#link.subjects.controlNode(node),
      payload: encodeControlMessage({ type: 'emulate', session, frame }),
      deadlineMs,
    });
    if (isNoResponders(reply)) return 'unknown_node';
    const decoded = decodeControlReply(reply.data);
    if (decoded.type === 'failed') throw new OperationalError('emulation_failed', decoded.reason);
    return 'done';
  }

  report(stats: NodeStats): void {
    this.#stats = stats;
  }

  unavailable(): string | undefined {
    if (this.#isClosed) return 'closed';
    return this.#link.unavailable() ?? (this.registry.isConnected ? undefined : 'does not hear its own heartbeats');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.registry.close();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#inbox.close();
    // So that the others have been told when the owner of the connection closes it.
    if (this.#link.isConnected)
      await this.#flush().catch((error: unknown) => this.#log.debug('left unheard', { error }));
  }

  #describeSelf(): NodeRecord {
    const { name, role, version } = this.#node;
    return { ...this.#stats, id: this.nodeId, name, role, version, startedAt: this.#startedAt };
  }

  async #tellAll(command: ControlCommand): Promise<void> {
    const payload = encodeControlMessage({ type: 'command', from: this.nodeId, command });
    try {
      this.#link.publish(this.#link.subjects.controlAll(), payload);
    } catch (cause) {
      throw sendFailure(cause, payload);
    }
    await this.#flush();
  }

  async #commandOthers(command: ControlCommand, deadlineMs: number): Promise<CommandReach> {
    const known = this.registry.peers().filter(hasSessions);
    if (known.length === 0) {
      // Somebody may have come whom this node does not know yet.
      await this.#tellAll(command);
      return { sessions: 0, reached: [], missing: [] };
    }
    const reach = new CommandTally(known.map(({ id }) => id));
    const stopWatch = this.registry.watch({ onGone: (id) => reach.gone(id) });
    const payload = encodeControlMessage({ type: 'command', from: this.nodeId, command });
    const subject = this.#link.subjects.controlAll();
    const collecting = this.#inbox.collect({ subject, payload, deadlineMs }, (message) => {
      if (isNoResponders(message)) return 'last';
      const reply = decodeControlReply(message.data);
      if (reply.type === 'applied') reach.answered(reply.node, reply.sessions);
      return reach.isComplete ? 'last' : 'more';
    });
    try {
      await Promise.race([collecting, reach.complete]);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== 'nats_timeout') throw sendFailure(error, payload);
    } finally {
      stopWatch();
      // Where all others have gone nobody waits for it any more.
      void collecting.catch((error: unknown) => this.#log.debug('no more replies to a command', { error }));
    }
    const result = reach.result();
    if (result.missing.length > 0) {
      this.#log.warn('nodes did not say that they applied a command', { kind: command.kind, nodes: result.missing });
    }
    return result;
  }

  #flush(): Promise<void> {
    return withDeadline(this.#link.main.flush(), FLUSH_DEADLINE_MS, 'nats_timeout', this.#clock);
  }

  async #ask(id: string, question: SurveyQuestion, deadlineMs: number): Promise<SurveyAnswer> {
    if (id === this.nodeId) {
      return withDeadline(this.#handler.answer(question), deadlineMs, 'survey_timeout', this.#clock);
    }
    const parts: SurveyAnswer[] = [];
    const subject = this.#link.subjects.controlNode(id);
    const payload = encodeControlMessage({ type: 'survey', question });
    await this.#inbox.collect({ subject, payload, deadlineMs }, (reply) => {
      if (isNoResponders(reply)) throw new OperationalError('control_unknown_node', `no node listens on ${subject}`);
      const decoded = decodeControlReply(reply.data);
      if (decoded.type !== 'answer') throw new OperationalError('survey_failed', `${id} could not answer`);
      parts.push(decoded.answer);
      return decoded.more ? 'more' : 'last';
    });
    const answer = joinAnswers(parts);
    if (answer?.kind !== question.kind) throw new OperationalError('survey_failed', `${id} answered something else`);
    return answer;
  }

  #onMessage(message: Msg): void {
    const decoded = this.#decode(message.data);
    if (decoded === undefined || (decoded.type === 'command' && decoded.from === this.nodeId)) return;
    const reply = message.reply ?? '';
    if (this.#tasks.run(() => this.#work(decoded, reply))) return;
    this.#log.error('too many commands from other nodes, dropping', { type: decoded.type });
    this.#refuse(decoded, reply, 'overloaded');
  }

  #decode(bytes: Uint8Array): ControlMessage | undefined {
    try {
      return decodeControlMessage(bytes);
    } catch (error) {
      this.#log.warn('ignoring a message from another node', { error });
      return undefined;
    }
  }

  /** invariant: begins in the order of arrival, so that commands of one sender are applied in the order it gave them. */
  async #work(message: ControlMessage, reply: string): Promise<void> {
    try {
      if (message.type === 'command') {
        const sessions = await this.#handler.apply(message.command);
        this.#reply(reply, { type: 'applied', node: this.nodeId, sessions });
      } else if (message.type === 'survey') await this.#answer(message.question, reply);
      else {
        await this.#handler.emulate(message.session, message.frame);
        this.#reply(reply, { type: 'done' });
      }
    } catch (error) {
      this.#log.warn('could not do what another node asked', { type: message.type, error });
      this.#refuse(message, reply, 'failed');
    }
  }

  async #answer(question: SurveyQuestion, reply: string): Promise<void> {
    const parts = splitAnswer(await this.#handler.answer(question));
    for (const [index, answer] of parts.entries()) {
      this.#reply(reply, { type: 'answer', answer, more: index < parts.length - 1 });
    }
  }

  #refuse({ type }: ControlMessage, subject: string, reason: string): void {
    if (type === 'command') this.#reply(subject, { type: 'applied', node: this.nodeId, sessions: undefined });
    else this.#reply(subject, { type: 'failed', reason });
  }

  #reply(subject: string, reply: ControlReply): void {
    // During an outage nobody waits any longer when it is over.
    if (subject === '' || !this.#link.isConnected) return;
    this.#link.publish(subject, encodeControlReply(reply));
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('control_closed', 'control is closed', { retriable: false });
  }
}

/** Such as more bytes than a message may have. */
function sendFailure(cause: unknown, payload: Uint8Array): OperationalError {
  // What the requester says of a message that can't be sent has the reason inside.
  const inner = cause instanceof OperationalError && cause.code === 'nats_publish' ? cause.cause : cause;
  if (inner instanceof OperationalError) return inner;
  const message = `can not send ${payload.length} bytes`;
  return new OperationalError('control_publish', message, { cause: inner, retriable: false });
}

function hasSessions({ role }: Pick<NodeIdentity, 'role'>): boolean {
  return role === 'gateway' || role === 'standalone';
}
