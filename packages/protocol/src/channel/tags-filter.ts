import { compareDecimals, parseDecimal } from './decimal.ts';

// Filters of publications by tags (client-protocol.md §6): validated once at subscribe, compiled, then evaluated once
// per distinct filter and publication.

/** As on the wire (`FilterNode` of the client protocol, the API and the proxies alike). Absent is empty. */
export interface TagsFilterNode {
  readonly op?: string | undefined;
  readonly key?: string | undefined;
  readonly cmp?: string | undefined;
  readonly val?: string | undefined;
  readonly vals?: readonly string[] | undefined;
  readonly nodes?: readonly TagsFilterNode[] | undefined;
}

export type Tags = Readonly<Record<string, string>>;

/** Whether a publication with these tags passes; no tags are an empty map. */
export type TagsPredicate = (tags: Tags | undefined) => boolean;

/** Filters nested deeper are refused. The reference has no limit but the frame's size. */
export const MAX_FILTER_DEPTH = 32;

type Operand = 'val' | 'vals' | 'none';

const OPERANDS: ReadonlyMap<string, Operand> = new Map<string, Operand>([
  ['eq', 'val'],
  ['neq', 'val'],
  ['in', 'vals'],
  ['nin', 'vals'],
  ['ex', 'none'],
  ['nex', 'none'],
  ['sw', 'val'],
  ['ew', 'val'],
  ['ct', 'val'],
  ['gt', 'val'],
  ['gte', 'val'],
  ['lt', 'val'],
  ['lte', 'val'],
]);

/** What is wrong with a filter, or undefined (§6.2). Whatever is wrong, the client gets error 107. */
export function validateFilter(node: TagsFilterNode): string | undefined {
  return validate(node, 1);
}

function validate(node: TagsFilterNode, depth: number): string | undefined {
  if (depth > MAX_FILTER_DEPTH) return 'the filter is nested too deep';
  const nodes = node.nodes ?? [];
  switch (node.op ?? '') {
    case '':
      return validateLeaf(node);
    case 'and':
    case 'or':
      if (nodes.length === 0) return `"${node.op}" needs a child`;
      break;
    case 'not':
      if (nodes.length !== 1) return '"not" needs exactly one child';
      break;
    default:
      return 'unknown op';
  }
  for (const child of nodes) {
    const problem = validate(child, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function validateLeaf(node: TagsFilterNode): string | undefined {
  const operand = OPERANDS.get(node.cmp ?? '');
  if (operand === undefined) return 'unknown cmp';
  const hasVal = (node.val ?? '') !== '';
  const hasVals = (node.vals ?? []).length > 0;
  if (hasVal !== (operand === 'val')) return hasVal ? `"${node.cmp}" takes no val` : `"${node.cmp}" needs val`;
  if (hasVals !== (operand === 'vals')) return hasVals ? `"${node.cmp}" takes no vals` : `"${node.cmp}" needs vals`;
  // compat: whether the key of ex and nex is empty is not looked at.
  if (operand !== 'none' && (node.key ?? '') === '') return `"${node.cmp}" needs key`;
  return undefined;
}

/** The predicate of a filter that {@link validateFilter} has passed; throws TypeError for another. */
export function compileFilter(node: TagsFilterNode): TagsPredicate {
  const problem = validateFilter(node);
  if (problem !== undefined) throw new TypeError(problem);
  return compile(node);
}

function compile(node: TagsFilterNode): TagsPredicate {
  if (!node.op) return compileLeaf(node);
  const children = (node.nodes ?? []).map(compile);
  switch (node.op) {
    case 'and':
      return (tags) => children.every((child) => child(tags));
    case 'or':
      return (tags) => children.some((child) => child(tags));
    default:
      return (tags) => !children.some((child) => child(tags));
  }
}

function compileLeaf(node: TagsFilterNode): TagsPredicate {
  const key = node.key ?? '';
  const val = node.val ?? '';
  const vals = new Set(node.vals);
  switch (node.cmp) {
    case 'eq':
      return (tags) => tagOf(tags, key) === val;
    case 'neq':
      return (tags) => tagOf(tags, key) !== val;
    case 'in':
      return (tags) => vals.has(tagOf(tags, key) ?? '');
    case 'nin':
      return (tags) => !vals.has(tagOf(tags, key) ?? '');
    case 'ex':
      return (tags) => tagOf(tags, key) !== undefined;
    case 'nex':
      return (tags) => tagOf(tags, key) === undefined;
    case 'sw':
      return (tags) => tagOf(tags, key)?.startsWith(val) ?? false;
    case 'ew':
      return (tags) => tagOf(tags, key)?.endsWith(val) ?? false;
    case 'ct':
      return (tags) => tagOf(tags, key)?.includes(val) ?? false;
    default:
      return compileComparison(node.cmp ?? '', key, val);
  }
}

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

function compileComparison(cmp: string, key: string, val: string): TagsPredicate {
  const bound = parseDecimal(val);
  const holds = ORDERS[cmp];
  if (bound === undefined || holds === undefined) return () => false;
  return (tags) => {
    const tag = tagOf(tags, key);
    const value = tag === undefined ? undefined : parseDecimal(tag);
    return value !== undefined && holds(compareDecimals(value, bound));
  };
}

/** Own tags only: a filter on "constructor" must not see the prototype of whatever object carries the tags. */
function tagOf(tags: Tags | undefined, key: string): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined;
}

/**
 * A text that two valid filters share only if they pass the same publications: subscribers with equal keys are served
 * together. The order of children and of `vals` does not matter.
 */
export function canonicalFilterKey(node: TagsFilterNode): string {
  if (node.op) {
    const children = [...new Set((node.nodes ?? []).map(canonicalFilterKey))].sort();
    return JSON.stringify([node.op, children]);
  }
  const vals = [...new Set(node.vals)].sort();
  return JSON.stringify(['', node.cmp ?? '', node.key ?? '', node.val ?? '', vals]);
}
