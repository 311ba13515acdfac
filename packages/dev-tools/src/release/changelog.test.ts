import { describe, expect, it } from 'vitest';

import { releaseEntry, withEntry } from './changelog.mjs';

const CHANGELOG = `# Changelog

What users notice.

## [Unreleased]

### Fixed

- A leak.

### Added

- Bells that
  ring.

## [0.1.0] - 2026-01-01

### Added

- Everything.
`;
const NOTES = [
  { type: 'patch', summary: 'No ringing at night.' },
  { type: 'minor', summary: `A carillon of ${'very '.repeat(30)}many\nbells.` },
  { type: 'major', summary: 'Bells are bronze.' },
];

describe('the changelog entry of a release', () => {
  it('has what is under Unreleased and the notes of the changesets, in the sections of their kinds', () => {
    const entry = releaseEntry({ changelog: CHANGELOG, notes: NOTES, version: '1.0.0', date: '2026-02-03' });
    expect(entry.split('\n').filter((line) => /^#|^-/.test(line))).toEqual([
      '## [1.0.0] - 2026-02-03',
      '### Added',
      '- Bells that',
      expect.stringMatching(/^- A carillon of very/),
      '### Changed',
      '- Bells are bronze.',
      '### Fixed',
      '- A leak.',
      '- No ringing at night.',
    ]);
    expect(entry.split('\n').every((line) => line.length <= 120)).toBe(true);
  });

  it('goes between an empty Unreleased and the older ones', () => {
    const entry = releaseEntry({ changelog: CHANGELOG, notes: [], version: '0.2.0', date: '2026-02-03' });
    const next = withEntry(CHANGELOG, entry);
    expect(next.split('\n').filter((line) => line.startsWith('## '))).toEqual([
      '## [Unreleased]',
      '## [0.2.0] - 2026-02-03',
      '## [0.1.0] - 2026-01-01',
    ]);
    expect(next).toContain('## [Unreleased]\n\n## [0.2.0]');
    expect(next.match(/A leak/g)).toHaveLength(1);
    const again = releaseEntry({ changelog: next, notes: [], version: '0.3.0', date: '2026-03-04' });
    expect(again).toBe('## [0.3.0] - 2026-03-04');
  });

  it('is the last one of a changelog that has no other', () => {
    const first = withEntry('# Changelog\n\n## [Unreleased]\n\n- All.\n', '## [0.1.0] - 2026-01-01\n\n- All.');
    expect(first).toBe('# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- All.\n');
  });

  it('needs an Unreleased', () => {
    expect(() => releaseEntry({ changelog: '# Changelog\n', notes: [], version: '1', date: '' })).toThrow('Unreleased');
  });
});
