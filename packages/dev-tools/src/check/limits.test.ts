import { describe, expect, it } from 'vitest';

import { brokenLimits, codeLines } from './limits.mjs';

const problems = (text: string): string[] => brokenLimits([{ path: 'packages/a/src/b.ts', text }]);

describe('brokenLimits', () => {
  it.each([
    '// TODO later',
    '// FIXME',
    'try { a(); } catch {}',
    'try { a(); } catch (error) {\n}',
    'work().catch(() => {});',
    'work().catch(() => undefined);',
    'it.only("x", run);',
    'describe.skip("x", run);',
    'it.skipIf(isSlow)("x", run);',
    'test.concurrent.skip("x", run);',
    'it.todo("x");',
  ])('finds %s', (text) => {
    expect(problems(text)).toHaveLength(1);
  });

  it.each([
    '// TODO(#12) later',
    'try { a(); } catch (error) { log(error); }',
    'it("x", run);',
    'list.skip(3);',
    'const todo = 1;',
  ])('lets %s pass', (text) => {
    expect(problems(text)).toEqual([]);
  });

  it('counts lines of code, not blank lines and comments', () => {
    expect(codeLines('/**\n * a\n */\nconst a = 1; // b\n\n// c\n/* d */\nconst b = 2;\n')).toBe(2);
    expect(problems('x();\n'.repeat(400))).toEqual([]);
    expect(problems('x();\n'.repeat(401))).toEqual(['packages/a/src/b.ts: 401 lines of code, at most 400']);
  });

  it('counts the files of a folder without their tests', () => {
    const files = (count: number, suffix: string) =>
      Array.from({ length: count }, (_, index) => ({ path: `packages/a/src/f${index}${suffix}`, text: '' }));
    expect(brokenLimits([...files(15, '.ts'), ...files(15, '.test.ts')])).toEqual([]);
    expect(brokenLimits(files(16, '.ts'))).toEqual(['packages/a/src: 16 files, at most 15']);
  });
});
