import { describe, expect, it } from 'vitest';
import { CommandTally } from './command-tally.ts';

describe('tally of a command', () => {
  it('is complete when every node has answered, and adds their sessions up', async () => {
    const tally = new CommandTally(['a', 'b']);
    tally.answered('a', 2);
    expect(tally.isComplete).toBe(false);
    tally.answered('b', 3);
    await tally.complete;
    expect(tally.result()).toEqual({ sessions: 5, reached: ['a', 'b'], missing: [] });
  });

  it('names who failed and who is silent', () => {
    const tally = new CommandTally(['a', 'b', 'c']);
    tally.answered('b', undefined);
    tally.answered('c', 1);
    expect(tally.result()).toEqual({ sessions: 1, reached: ['c'], missing: ['b', 'a'] });
  });

  it('does not wait for a node that left', async () => {
    const tally = new CommandTally(['a', 'b']);
    tally.answered('a', 1);
    tally.gone('b');
    await tally.complete;
    expect(tally.result()).toEqual({ sessions: 1, reached: ['a'], missing: [] });
  });

  it('counts a node that nobody knew of', () => {
    const tally = new CommandTally(['a']);
    tally.answered('new', 4);
    expect(tally.isComplete).toBe(false);
    expect(tally.result()).toEqual({ sessions: 4, reached: ['new'], missing: ['a'] });
  });

  it('waits for nobody where there is nobody', async () => {
    await new CommandTally([]).complete;
  });
});
