import { describe, expect, it } from 'vitest';

import { findNatsServer } from './find-nats-server.ts';

const NOWHERE = '/nowhere/nats-server';

describe('findNatsServer', () => {
  it('prefers the binary that the environment names', () => {
    expect(findNatsServer({ CARILLON_TEST_NATS_SERVER: '/opt/nats-server', PATH: '' }, NOWHERE)).toBe(
      '/opt/nats-server',
    );
  });

  it('takes the cached binary when PATH has none', () => {
    expect(findNatsServer({ PATH: '/nowhere' }, process.execPath)).toBe(process.execPath);
  });

  it('ignores a file that may not be executed', () => {
    expect(() => findNatsServer({ PATH: '' }, new URL(import.meta.url).pathname)).toThrow('no nats-server');
  });

  it('says what to do when there is none', () => {
    expect(() => findNatsServer({ PATH: '/nowhere' }, NOWHERE)).toThrow('npm test');
  });
});
