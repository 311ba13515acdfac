import { randomUUID } from 'node:crypto';
import { OperationalError, withDeadline, type Clock } from '@carillon/service-kit';
import type {
  CommandReach,
  Control,
  ControlCommand,
  ControlHandler,
  EmulationFrame,
  NodeRecord,
  NodeStats,
  SurveyQuestion,
  SurveyResult,
} from '../control.ts';
import type { NodeIdentity } from '../node-identity.ts';

export interface MemoryControlDeps {
  readonly clock: Clock;
  readonly node: NodeIdentity;
  readonly handler: ControlHandler;
  /** Default: a random UUID. */
  readonly nodeId?: string | undefined;
}

const NOTHING: NodeStats = { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 };

/** Control of a cluster of one: whatever is asked, this node is all who can do it. */
export class MemoryControl implements Control {
  readonly nodeId: string;
  readonly #clock: Clock;
  readonly #node: NodeIdentity;
  readonly #handler: ControlHandler;
  readonly #startedAt: number;
  #stats: NodeStats = NOTHING;
  #isClosed = false;

  constructor({ clock, node, handler, nodeId }: MemoryControlDeps) {
    this.nodeId = nodeId ?? randomUUID();
    this.#clock = clock;
    this.#node = node;
    this.#handler = handler;
    this.#startedAt = clock.now();
  }

  nodes(): readonly NodeRecord[] {
    const { name, role, version } = this.#node;
    return [{ ...this.#stats, id: this.nodeId, name, role, version, startedAt: this.#startedAt }];
  }

  async broadcast(command: ControlCommand): Promise<void> {
    this.#assertOpen();
    await this.#handler.apply(command);
  }

  async command(command: ControlCommand, deadlineMs: number): Promise<CommandReach> {
    this.#assertOpen();
    const applying = this.#handler.apply(command);
    const sessions = await withDeadline(applying, deadlineMs, 'control_timeout', this.#clock);
    return { sessions, reached: [this.nodeId], missing: [] };
  }

  async survey(question: SurveyQuestion, deadlineMs: number): Promise<SurveyResult> {
    this.#assertOpen();
    try {
      const answering = this.#handler.answer(question);
      const answer = await withDeadline(answering, deadlineMs, 'survey_timeout', this.#clock);
      return { answers: [answer], answeredBy: [this.nodeId], missing: [] };
    } catch {
      // The port tells failures by the id of the node that failed.
      return { answers: [], answeredBy: [], missing: [this.nodeId] };
    }
  }

  async emulate({ node, session, frame }: EmulationFrame, deadlineMs: number): Promise<'done' | 'unknown_node'> {
    this.#assertOpen();
    if (node !== this.nodeId) return 'unknown_node';
    await withDeadline(this.#handler.emulate(session, frame), deadlineMs, 'emulation_timeout', this.#clock);
    return 'done';
  }

  report(stats: NodeStats): void {
    this.#stats = stats;
  }

  unavailable(): string | undefined {
    return this.#isClosed ? 'closed' : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('control_closed', 'control is closed', { retriable: false });
  }
}
