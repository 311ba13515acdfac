import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalFilterKey,
  compileFilter,
  MAX_FILTER_DEPTH,
  validateFilter,
  type Tags,
  type TagsFilterNode,
} from './tags-filter.ts';

const leaf = (cmp: string, val?: string, vals?: string[]): TagsFilterNode => ({ key: 'k', cmp, val, vals });
const passes = (node: TagsFilterNode, tags: Tags | undefined): boolean => compileFilter(node)(tags);

describe('a leaf of a tags filter', () => {
  const rows: [string, TagsFilterNode, string | undefined, boolean][] = [
    ['eq on the value', leaf('eq', '1'), '1', true],
    ['eq on another value', leaf('eq', '1'), '01', false],
    ['eq on a missing tag', leaf('eq', '1'), undefined, false],
    ['neq on the value', leaf('neq', '1'), '1', false],
    ['neq on another value', leaf('neq', '1'), '2', true],
    ['neq on a missing tag', leaf('neq', '1'), undefined, true],
    ['in with the value', leaf('in', undefined, ['1', '2']), '2', true],
    ['in without the value', leaf('in', undefined, ['1', '2']), '3', false],
    ['in on a missing tag', leaf('in', undefined, ['1']), undefined, false],
    ['in with an empty entry on a missing tag', leaf('in', undefined, ['']), undefined, true],
    ['nin with the value', leaf('nin', undefined, ['1']), '1', false],
    ['nin without the value', leaf('nin', undefined, ['1']), '2', true],
    ['nin on a missing tag', leaf('nin', undefined, ['1']), undefined, true],
    ['nin with an empty entry on a missing tag', leaf('nin', undefined, ['']), undefined, false],
    ['ex on an empty tag', leaf('ex'), '', true],
    ['ex on a missing tag', leaf('ex'), undefined, false],
    ['nex on a tag', leaf('nex'), '', false],
    ['nex on a missing tag', leaf('nex'), undefined, true],
    ['sw at the start', leaf('sw', 'ab'), 'abc', true],
    ['sw elsewhere', leaf('sw', 'ab'), 'cab', false],
    ['sw in another case', leaf('sw', 'ab'), 'ABc', false],
    ['ew at the end', leaf('ew', 'ab'), 'cab', true],
    ['ew elsewhere', leaf('ew', 'ab'), 'abc', false],
    ['ct inside', leaf('ct', 'ab'), 'cabd', true],
    ['ct on a missing tag', leaf('ct', 'ab'), undefined, false],
    ['gt by value, not by text', leaf('gt', '9'), '10.5', true],
    ['gt on an equal number', leaf('gt', '1.0'), '1', false],
    ['gte on an equal number', leaf('gte', '1.0'), '01', true],
    ['lt on a negative number', leaf('lt', '-1'), '-1.5', true],
    ['lt between negative and positive', leaf('lt', '+1'), '-1', true],
    ['lte on a greater number', leaf('lte', '1'), '1.0000000000000000000001', false],
    ['gt beyond what floats tell apart', leaf('gt', '9007199254740992'), '9007199254740993', true],
    ['gte on minus zero', leaf('gte', '0'), '-0.0', true],
    ['gt on a word', leaf('gt', '1'), 'abc', false],
    ['gt on an exponent', leaf('gt', '1'), '1e3', false],
    ['gt on a space', leaf('gt', '1'), ' 2', false],
    ['gt on a bare point', leaf('gt', '1'), '2.', false],
    ['lt with an operand that is no number', leaf('lt', 'x'), '1', false],
    ['gt on a missing tag', leaf('gt', '1'), undefined, false],
  ];

  it.each(rows)('%s', (_, node, tag, expected) => {
    expect(passes(node, tag === undefined ? {} : { k: tag })).toBe(expected);
    if (tag === undefined) expect(passes(node, undefined)).toBe(expected);
  });

  it('does not see what objects inherit', () => {
    expect(passes({ key: 'constructor', cmp: 'ex' }, {})).toBe(false);
    expect(passes({ key: '__proto__', cmp: 'nex' }, {})).toBe(true);
  });
});

describe('an inner node of a tags filter', () => {
  const yes = leaf('ex');
  const no = leaf('nex');
  it.each([
    ['and', [yes, yes], true],
    ['and', [yes, no], false],
    ['or', [no, yes], true],
    ['or', [no, no], false],
    ['not', [no], true],
    ['not', [yes], false],
  ])('%s of its children', (op, nodes, expected) => {
    expect(passes({ op, nodes }, { k: '' })).toBe(expected);
  });
});

describe('validation', () => {
  const invalid: [string, TagsFilterNode][] = [
    ['an empty node', {}],
    ['an unknown cmp', leaf('like', '1')],
    ['eq without val', leaf('eq')],
    ['eq with vals', leaf('eq', '1', ['1'])],
    ['eq without key', { cmp: 'eq', val: '1' }],
    ['in without vals', leaf('in')],
    ['in with val', leaf('in', '1', ['1'])],
    ['in without key', { cmp: 'in', vals: ['1'] }],
    ['ex with val', leaf('ex', '1')],
    ['nex with vals', leaf('nex', undefined, ['1'])],
    ['and without children', { op: 'and' }],
    ['or without children', { op: 'or', nodes: [] }],
    ['not without children', { op: 'not' }],
    ['not with two children', { op: 'not', nodes: [leaf('ex'), leaf('ex')] }],
    ['an unknown op', { op: 'xor', nodes: [leaf('ex')] }],
    ['an op in capitals', { op: 'AND', nodes: [leaf('ex')] }],
    ['an invalid child', { op: 'and', nodes: [leaf('ex'), leaf('eq')] }],
  ];

  it.each(invalid)('refuses %s', (_, node) => {
    expect(validateFilter(node)).toBeTypeOf('string');
    expect(() => compileFilter(node)).toThrow(TypeError);
  });

  it('does not look at the key of ex and nex, nor whether operands are numbers', () => {
    expect(validateFilter({ cmp: 'ex' })).toBeUndefined();
    expect(validateFilter(leaf('gt', 'abc'))).toBeUndefined();
  });

  it('bounds the depth', () => {
    const nested = (depth: number): TagsFilterNode =>
      depth === 1 ? leaf('ex') : { op: 'not', nodes: [nested(depth - 1)] };
    expect(validateFilter(nested(MAX_FILTER_DEPTH))).toBeUndefined();
    expect(validateFilter(nested(MAX_FILTER_DEPTH + 1))).toBeTypeOf('string');
  });
});

describe('the canonical key', () => {
  it('is the same for filters that differ in order only, and differs otherwise', () => {
    const a = leaf('eq', '1');
    const b = leaf('in', undefined, ['x', 'y']);
    const swapped = leaf('in', undefined, ['y', 'x']);
    expect(canonicalFilterKey({ op: 'and', nodes: [a, b] })).toBe(
      canonicalFilterKey({ op: 'and', nodes: [swapped, a] }),
    );
    expect(canonicalFilterKey({ op: 'or', nodes: [a, b] })).not.toBe(canonicalFilterKey({ op: 'and', nodes: [a, b] }));
    expect(canonicalFilterKey(leaf('eq', '1'))).not.toBe(canonicalFilterKey(leaf('eq', '2')));
    expect(canonicalFilterKey(leaf('in', undefined, ['a,b']))).not.toBe(
      canonicalFilterKey(leaf('in', undefined, ['a', 'b'])),
    );
  });

  it('is shared only by filters that pass the same publications', () => {
    const word = fc.constantFrom('1', '2', 'a');
    const arbitraryLeaf = fc.oneof(
      fc.record({ key: word, cmp: fc.constantFrom('eq', 'neq', 'gt', 'sw'), val: word }),
      fc.record({ key: word, cmp: fc.constantFrom('in', 'nin'), vals: fc.array(word, { minLength: 1, maxLength: 3 }) }),
    );
    const { node } = fc.letrec<{ node: TagsFilterNode }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 2 },
        arbitraryLeaf,
        fc.record({ op: fc.constantFrom('and', 'or'), nodes: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
        fc.record({ op: fc.constant('not'), nodes: tie('node').map((child) => [child]) }),
      ),
    }));
    const tagSets = fc.array(fc.dictionary(word, word), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(node, node, tagSets, (left, right, sets) => {
        fc.pre(canonicalFilterKey(left) === canonicalFilterKey(right));
        for (const tags of sets) expect(passes(left, tags)).toBe(passes(right, tags));
      }),
      { numRuns: 30, maxSkipsPerRun: 10_000 },
    );
  });
});
