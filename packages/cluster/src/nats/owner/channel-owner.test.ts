import { expect, test } from 'vitest';
import { nodeRecord } from '../broker-test/broker-test-cluster.ts';
import { ChannelOwners, ownerOf } from './channel-owner.ts';

const channels = Array.from({ length: 3_000 }, (_, index) => `room:${index}`);

test('channels spread over the nodes that may own, whatever order they come in', () => {
  const nodes = ['a', 'b', 'c'].map((id) => nodeRecord(id));
  const gateway = nodeRecord('g', 'gateway');
  const counts = new Map<string | undefined, number>();
  for (const channel of channels) {
    const owner = ownerOf(channel, [gateway, ...nodes]);
    expect(ownerOf(channel, nodes.toReversed())).toBe(owner);
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  expect(new Set(counts.keys())).toEqual(new Set(['a', 'b', 'c']));
  for (const count of counts.values()) expect(count).toBeGreaterThan(800);
});

test('a node that goes moves only its own channels', () => {
  const [all, left] = [['a', 'b', 'c'].map((id) => nodeRecord(id)), ['a', 'c'].map((id) => nodeRecord(id))];
  for (const channel of channels) {
    const before = ownerOf(channel, all);
    if (before !== 'b') expect(ownerOf(channel, left)).toBe(before);
  }
});

test('nobody owns without a fit node', () => {
  expect(ownerOf('a', [nodeRecord('g', 'gateway')])).toBeUndefined();
});

test('owners follow the list of nodes', () => {
  let nodes = ['a', 'b', 'c'].map((id) => nodeRecord(id));
  const owners = new ChannelOwners(() => nodes);
  for (const left of [nodes, nodes.slice(1), []]) {
    nodes = left;
    for (const channel of channels) expect(owners.of(channel)).toBe(ownerOf(channel, left));
  }
});
