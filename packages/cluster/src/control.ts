import type { SubscribeOptionOverride } from '@carillon/protocol/api';
import type { StreamPosition } from '@carillon/protocol/channel';

/**
 * How nodes know and command each other: the registry of living nodes, commands to every session of a user, surveys,
 * and the emulation hop. Commands reach the local node too, through the same handler as remote ones.
 * A rejection is an `OperationalError`.
 */
export interface Control {
  /** This node's id: unique for the life of the process. */
  readonly nodeId: string;

  /** Living nodes, this one included, by id. Never awaits: kept current by the adapter. */
  nodes(): readonly NodeRecord[];

  /** Gives every node the command; resolves when this node has applied it and the others have been told, not more. */
  broadcast(command: ControlCommand): Promise<void>;

  /**
   * Gives every node the command and waits until each living one with clients has applied it, at most `deadlineMs`. It is
   * applied wherever it arrives, also after the deadline, and whatever the others do. Rejects where this node fails.
   */
  command(command: ControlCommand, deadlineMs: number): Promise<CommandReach>;

  /**
   * Asks every living node of the given role and waits for all answers, at most `deadlineMs`.
   * `missing` names the nodes that did not answer in time or failed.
   */
  survey(question: SurveyQuestion, deadlineMs: number): Promise<SurveyResult>;

  /**
   * Hands a frame of commands to the session's owner (client-protocol §1.6).
   * Resolves 'unknown_node' when no such node lives; rejects when it does not answer within `deadlineMs`.
   */
  emulate(request: EmulationFrame, deadlineMs: number): Promise<'done' | 'unknown_node'>;

  /** Tells the others what this node holds now; adapters send it at their own pace. */
  report(stats: NodeStats): void;

  unavailable(): string | undefined;
  close(): Promise<void>;
}

/** What a node does with what others ask of it. Owned by the service; called by the adapter. */
export interface ControlHandler {
  /**
   * Applies to the sessions of this node and gives their number; rejects, after it has tried all of them, with an error whose
   * text is sent to nobody but the log.
   */
  apply(command: ControlCommand): Promise<number>;
  answer(question: SurveyQuestion): Promise<SurveyAnswer>;
  /** Commands of an emulated session of this node; unknown sessions are ignored. */
  emulate(session: string, frame: Uint8Array): Promise<void>;
}

export type NodeRole = 'gateway' | 'api' | 'auth-policy' | 'standalone';

export interface NodeStats {
  readonly numClients: number;
  readonly numUsers: number;
  readonly numChannels: number;
  readonly numSubs: number;
}

export interface NodeRecord extends NodeStats {
  readonly id: string;
  readonly name: string;
  readonly role: NodeRole;
  readonly version: string;
  /** Ms since 1970. */
  readonly startedAt: number;
}

/** Which sessions a command is for: all criteria that are set must match; `user` always counts ('' = anonymous). */
export interface SessionSelector {
  readonly user: string;
  readonly client?: string | undefined;
  readonly session?: string | undefined;
}

/** server-api §7.3 to §7.6 as they travel between nodes. Times are Unix seconds as on the wire. */
export type ControlCommand =
  | {
      readonly kind: 'subscribe';
      readonly select: SessionSelector;
      readonly channel: string;
      readonly expireAt: number;
      readonly info?: Uint8Array | undefined;
      readonly data?: Uint8Array | undefined;
      readonly recoverSince?: StreamPosition | undefined;
      readonly override?: SubscribeOptionOverride | undefined;
    }
  | {
      readonly kind: 'unsubscribe';
      readonly select: SessionSelector;
      readonly channel: string;
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'disconnect';
      readonly select: SessionSelector;
      readonly code: number;
      readonly reason: string;
      /** Client ids to keep. */
      readonly whitelist: readonly string[];
    }
  | {
      readonly kind: 'refresh';
      readonly select: SessionSelector;
      readonly expired: boolean;
      readonly expireAt: number;
      readonly info?: Uint8Array | undefined;
    }
  /** Rules changed (revocations, blocks): each node re-reads and applies them to its live sessions. */
  | { readonly kind: 'rules_changed' };

/** How far a command got. */
export interface CommandReach {
  /** Sessions it was applied to, on the nodes that said so. */
  readonly sessions: number;
  /** Ids of the nodes that have applied it. */
  readonly reached: readonly string[];
  /** Ids of the living nodes with clients that failed, or did not say in time that they had applied it. */
  readonly missing: readonly string[];
}

export type SurveyQuestion =
  | { readonly kind: 'channels'; readonly pattern: string }
  | { readonly kind: 'connections'; readonly user: string }
  /** Which of these users are connected. */
  | { readonly kind: 'users'; readonly users: readonly string[] }
  /** What the node holds at this moment; its record says what it held some seconds ago. */
  | { readonly kind: 'stats' };

export type SurveyAnswer =
  /** Local subscriber counts by channel. */
  | { readonly kind: 'channels'; readonly channels: ReadonlyMap<string, number> }
  | { readonly kind: 'connections'; readonly connections: ReadonlyMap<string, ConnectionSummary> }
  /** Those of the users who are connected, and when the newest connection of each was made, ms since 1970. */
  | { readonly kind: 'users'; readonly users: ReadonlyMap<string, number> }
  | { readonly kind: 'stats'; readonly stats: NodeStats };

/** One live connection, as the server API shows it (server-api §8, ConnectionInfo). */
export interface ConnectionSummary {
  readonly appName: string;
  readonly appVersion: string;
  readonly transport: string;
  readonly protocol: string;
  readonly user: string;
  /** Ms since 1970. */
  readonly connectedAt: number;
  /** Of the last ping; -1 = not known. */
  readonly roundTripMs: number;
  /** Who granted each subscription: codes of server-api §8. */
  readonly channels: ReadonlyMap<string, number>;
  readonly connectionToken?: TokenSummary | undefined;
  /** By channel. */
  readonly subscriptionTokens: ReadonlyMap<string, TokenSummary>;
  readonly meta?: Uint8Array | undefined;
}

export interface TokenSummary {
  /** `jti`; '' = the token has none. */
  readonly uid: string;
  /** `iat`, Unix seconds; 0 = the token does not say. */
  readonly issuedAt: number;
}

export interface SurveyResult {
  readonly answers: readonly SurveyAnswer[];
  /** Ids of the nodes that answered, in the order of their answers. */
  readonly answeredBy: readonly string[];
  /** Ids of nodes that did not answer. */
  readonly missing: readonly string[];
}

export interface EmulationFrame {
  readonly node: string;
  readonly session: string;
  readonly frame: Uint8Array;
}
