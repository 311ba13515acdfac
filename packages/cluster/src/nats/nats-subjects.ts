// The one file that spells subjects, streams and tokens (architecture §2). A prefix keeps clusters that share a NATS apart.
import { createHash } from 'node:crypto';
import { boundedToken, decodeToken, encodeToken, hashText, MAX_TOKEN_CHARS } from './subject/subject-token.ts';

/**
 * Shards of channel streams unless configured: one stream is one goroutine and one Raft group on the NATS side. One for each
 * of three servers to lead; each more costs wake-ups and smaller batches (decision 0016).
 */
export const DEFAULT_SHARDS = 3;
const MAX_SHARDS = 256;
const PREFIX_PATTERN = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

export interface NatsSubjects {
  readonly prefix: string;
  readonly shards: number;
  /** Shard of a channel: stable for as long as the number of shards is. */
  shardOf(channel: string): number;

  /** Live copies of a channel: publications, joins, leaves. */
  live(channel: string): string;
  /** Log record at a ring slot; the ring's modulus is part of the token, so rings of different size never mix. */
  logSlot(channel: string, slot: RingSlot): string;
  /** Every record of a channel: the last of them is its newest. */
  logAll(channel: string): string;
  /** All of the above for who writes often: the channel is encoded once. */
  logOf(channel: string): ChannelLogSubjects;
  /** One idempotency key of a channel without history. */
  idempotency(channel: string, key: string): string;
  /** Write requests to the node that owns a channel. */
  write(nodeId: string): string;

  logStream(shard: number): string;
  idempotencyStream(): string;
  /** All log subjects of a shard, and how a record's subject maps to its live subject on the server. */
  logSubjects(shard: number): string;
  liveDestination(shard: number): string;
  /** The channel of a log record's subject; undefined when it is none, or shows only a digest of a very long name. */
  channelOfLog(subject: string): string | undefined;
  idempotencySubjects(): string;

  /** Presence entry of a client on a node; without them, the filters of a channel or of a node. */
  presence(channel: string, nodeId: string, client: string): string;
  presenceOfChannel(channel: string): string;
  presenceOfNode(nodeId: string): string;
  presenceSubjects(): string;
  presenceStream(): string;
  /** Registry record of a node. */
  node(nodeId: string): string;
  nodeSubjects(): string;
  nodeStream(): string;
  /** Control commands to all nodes, and to one. */
  controlAll(): string;
  controlNode(nodeId: string): string;
  /** A ban by the token of its key, and the copy that goes to all nodes once it is stored. */
  ban(token: string): string;
  banSubjects(): string;
  liveBans(): string;
  banDestination(): string;
  banStream(): string;
  /** The status of a user. */
  userStatus(user: string): string;
  userStatusSubjects(): string;
  userStatusStream(): string;
}

export interface ChannelLogSubjects {
  /** Every record. */
  readonly all: string;
  slot(slot: RingSlot): string;
}

/** The slot of a record's index in a ring of `slots`. */
export interface RingSlot {
  readonly slots: number;
  readonly index: number;
}

export interface NatsSubjectsOptions {
  /** Dot-separated tokens of letters, digits, `_` and `-`. */
  readonly prefix: string;
  /** 1 to 256. The same on all nodes of a cluster: declared streams carry it and refuse another. */
  readonly shards?: number | undefined;
}

/** Throws a RangeError on a prefix or a number of shards that can't be. */
export function createNatsSubjects({ prefix, shards = DEFAULT_SHARDS }: NatsSubjectsOptions): NatsSubjects {
  if (!PREFIX_PATTERN.test(prefix)) {
    throw new RangeError(`nats prefix ${JSON.stringify(prefix)}: dot-separated tokens of A-Z a-z 0-9 _ - expected`);
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
    throw new RangeError(`nats shards ${shards}: an integer from 1 to ${MAX_SHARDS} expected`);
  }
  const p = prefix;
  // Stream names hold no dots.
  const name = p.replaceAll('.', '_');
  const shardOf = (channel: string): number => (shards === 1 ? 0 : hashText(channel) % shards);
  const encodeAt = (channel: string): string => `${shardOf(channel)}.${boundedToken(channel)}`;
  // Each command of a channel spells several subjects of it.
  const at = remembered(encodeAt);
  return {
    prefix,
    shards,
    shardOf,
    live: (channel) => `${p}.f.${at(channel)}`,
    logSlot: (channel, slot) => `${p}.h.${at(channel)}.${slotToken(slot)}`,
    logAll: (channel) => `${p}.h.${at(channel)}.*`,
    logOf: (channel) => {
      const base = `${p}.h.${at(channel)}.`;
      return {
        all: `${base}*`,
        slot: (slot) => base + slotToken(slot),
      };
    },
    idempotency: (channel, key) => `${p}.i.${boundedToken(channel)}.${boundedToken(key)}`,
    write: (nodeId) => `${p}.w.${encodeToken(nodeId)}`,
    logStream: (shard) => `${name}-log-${shard}`,
    idempotencyStream: () => `${name}-idempotency`,
    logSubjects: (shard) => `${p}.h.${shard}.*.*`,
    liveDestination: (shard) => `${p}.f.${shard}.{{wildcard(1)}}`,
    channelOfLog: (subject) => {
      const [, token, slot] = subject.startsWith(`${p}.h.`) ? subject.slice(p.length + 3).split('.') : [];
      return token === undefined || slot === undefined ? undefined : decodeToken(token);
    },
    idempotencySubjects: () => `${p}.i.*.*`,
    presence: (channel, nodeId, client) => `${p}.p.${at(channel)}.${encodeToken(nodeId)}.${encodeToken(client)}`,
    presenceOfChannel: (channel) => `${p}.p.${at(channel)}.*.*`,
    presenceOfNode: (nodeId) => `${p}.p.*.*.${encodeToken(nodeId)}.*`,
    presenceSubjects: () => `${p}.p.*.*.*.*`,
    presenceStream: () => `${name}-presence`,
    node: (nodeId) => `${p}.n.${encodeToken(nodeId)}`,
    nodeSubjects: () => `${p}.n.*`,
    nodeStream: () => `${name}-nodes`,
    controlAll: () => `${p}.c.all`,
    controlNode: (nodeId) => `${p}.c.node.${encodeToken(nodeId)}`,
    ban: (token) => `${p}.b.${token}`,
    banSubjects: () => `${p}.b.*`,
    liveBans: () => `${p}.bl.*`,
    banDestination: () => `${p}.bl.{{wildcard(1)}}`,
    banStream: () => `${name}-bans`,
    // A digest: users may have any length, and reads name many of these subjects in one message.
    userStatus: (user) => `${p}.u.${createHash('sha256').update(user).digest('base64url')}`,
    userStatusSubjects: () => `${p}.u.*`,
    userStatusStream: () => `${name}-user-status`,
  };
}

/** Names that are remembered, twice: the ones since the last change of generations, and those before. */
const GENERATION = 4_096;

/** Remembers what `encode` gave for the names of late, but not for very long ones: thousands of them would fill the memory. */
function remembered(encode: (name: string) => string): (name: string) => string {
  let young = new Map<string, string>();
  let old = young;
  return (name) => {
    if (name.length > MAX_TOKEN_CHARS) return encode(name);
    const known = young.get(name);
    if (known !== undefined) return known;
    const token = old.get(name) ?? encode(name);
    if (young.size >= GENERATION) {
      old = young;
      young = new Map();
    }
    young.set(name, token);
    return token;
  };
}

function slotToken({ slots, index }: RingSlot): string {
  return `${slots}-${index % slots}`;
}
