import type { BucketRule } from './token-buckets.ts';

/** Buckets that can be switched off; without buckets of their own the default ones count. */
export interface LimitRule {
  readonly enabled: boolean;
  readonly buckets: readonly BucketRule[];
}

export interface NamespaceLimitRule extends LimitRule {
  readonly namespaceName: string;
}

export interface MethodLimitRule extends LimitRule {
  readonly method: string;
}

/** A command on a channel. */
export interface ChannelLimitRule extends LimitRule {
  readonly namespaceOverrides: readonly NamespaceLimitRule[];
}

/** Limits of commands, of one client or of one user (`client.rate_limit`). Names are those of the client protocol. */
export interface CommandLimitRules {
  readonly enabled: boolean;
  /** All commands together. */
  readonly total: LimitRule;
  /** Of each command that has none of its own. */
  readonly default: LimitRule;
  /** Limits of users only: a connection connects once. */
  readonly connect?: LimitRule | undefined;
  readonly subscribe: ChannelLimitRule;
  readonly unsubscribe: ChannelLimitRule;
  readonly publish: ChannelLimitRule;
  readonly history: ChannelLimitRule;
  readonly presence: ChannelLimitRule;
  readonly presenceStats: ChannelLimitRule;
  readonly refresh: LimitRule;
  readonly subRefresh: ChannelLimitRule;
  readonly rpc: LimitRule & { readonly methodOverrides: readonly MethodLimitRule[] };
}

export type LimitedCommand = Exclude<keyof CommandLimitRules, 'enabled' | 'total' | 'default'>;

/** A place where tokens are counted: each client or user has one of each that it has used. */
export interface LimitSlot {
  readonly index: number;
  readonly buckets: readonly BucketRule[];
}

/** Which buckets each command takes from, worked out once for a configuration. */
export interface LimitPlan {
  readonly total: LimitSlot | undefined;
  readonly numSlots: number;
  /** Longest interval of any bucket, ms: a meter that was not used for so long is as good as new. */
  readonly longestIntervalMs: number;
  /** The command has overrides: it matters which channel or method it is for. */
  hasOverrides(command: LimitedCommand): boolean;
  /** `target`: namespace of the channel, or method of the rpc. Undefined: no limit but the total one. */
  slotFor(command: LimitedCommand, target: string): LimitSlot | undefined;
}

interface CommandSlots {
  readonly base: LimitSlot | undefined;
  readonly overrides: ReadonlyMap<string, LimitSlot | undefined>;
}

const COMMANDS: readonly LimitedCommand[] = [
  'connect',
  'subscribe',
  'unsubscribe',
  'publish',
  'history',
  'presence',
  'presenceStats',
  'refresh',
  'subRefresh',
  'rpc',
];

/** Undefined where nothing is limited. */
export function createLimitPlan(rules: CommandLimitRules): LimitPlan | undefined {
  if (!rules.enabled) return undefined;
  const slots: LimitSlot[] = [];
  const slot = (buckets: readonly BucketRule[]): LimitSlot | undefined => {
    if (buckets.length === 0) return undefined;
    const made = { index: slots.length, buckets };
    slots.push(made);
    return made;
  };
  const ofDefault = rules.default.enabled ? rules.default.buckets : [];
  const bucketsOf = (rule: LimitRule | undefined): readonly BucketRule[] =>
    rule?.enabled === true && rule.buckets.length > 0 ? rule.buckets : ofDefault;
  const total = slot(rules.total.enabled ? rules.total.buckets : []);
  const commands = new Map<LimitedCommand, CommandSlots>();
  for (const command of COMMANDS) {
    const overrides = overridesOf(rules, command).map(([target, rule]) => [target, slot(bucketsOf(rule))] as const);
    commands.set(command, { base: slot(bucketsOf(rules[command])), overrides: new Map(overrides) });
  }
  if (slots.length === 0) return undefined;
  return {
    total,
    numSlots: slots.length,
    longestIntervalMs: Math.max(...slots.flatMap(({ buckets }) => buckets.map(({ intervalMs }) => intervalMs))),
    hasOverrides: (command) => (commands.get(command)?.overrides.size ?? 0) > 0,
    slotFor(command, target) {
      const found = commands.get(command);
      if (found === undefined) return undefined;
      return found.overrides.has(target) ? found.overrides.get(target) : found.base;
    },
  };
}

function overridesOf(rules: CommandLimitRules, command: LimitedCommand): (readonly [string, LimitRule])[] {
  const rule = rules[command];
  if (rule === undefined) return [];
  if ('methodOverrides' in rule) {
    return rule.methodOverrides.filter(({ enabled }) => enabled).map((override) => [override.method, override]);
  }
  if (!('namespaceOverrides' in rule)) return [];
  return rule.namespaceOverrides.filter(({ enabled }) => enabled).map((override) => [override.namespaceName, override]);
}
