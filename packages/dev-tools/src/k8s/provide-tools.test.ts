import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MissingTool, provideGoProgram } from './provide-tools.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'carillon-tools-'));
  mkdirSync(join(root, 'bin'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A command that ends with this code. */
function command(name: string, code: number): void {
  const path = join(root, 'bin', name);
  writeFileSync(path, `#!/bin/sh\necho "${name}: no network" >&2\nexit ${code}\n`);
  chmodSync(path, 0o755);
}

function provide(): string {
  return provideGoProgram('bell', 'example.com/bell@v1.0.0', {
    folder: join(root, 'built'),
    env: { PATH: join(root, 'bin') },
  });
}

describe('a program of a Go module', () => {
  it('is the one on the PATH', () => {
    command('bell', 0);
    expect(provide()).toBe('bell');
  });

  it('is the one that was built before', () => {
    mkdirSync(join(root, 'built'));
    writeFileSync(join(root, 'built/bell'), '');
    expect(provide()).toBe(join(root, 'built/bell'));
  });

  it('is missing without Go, with a word about what to install', () => {
    expect(provide).toThrow(MissingTool);
    expect(provide).toThrow('install bell, or Go');
  });

  it('is missing where Go can not fetch it', () => {
    writeFileSync(join(root, 'bin/go'), '#!/bin/sh\n[ "$1" = version ] && exit 0\necho "no network" >&2\nexit 1\n');
    chmodSync(join(root, 'bin/go'), 0o755);
    expect(provide).toThrow(MissingTool);
    expect(provide).toThrow('no network');
  });
});
