import { connect } from 'node:net';

import { describe, expect, it } from 'vitest';

import { startNats, startNatsCluster } from './test-nats.ts';

interface Info {
  readonly version: string;
  readonly jetstream?: boolean;
}

/** What the server says to a client first. */
function readInfo(port: number): Promise<Info> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(JSON.parse(data.toString().slice('INFO '.length)) as Info);
    });
  });
}

describe('startNats', () => {
  it('gives a server with JetStream that comes back on the same port after kill -9', async () => {
    const nats = await startNats({ exclusive: true });
    try {
      expect(await readInfo(nats.port)).toMatchObject({ jetstream: true });
      const firstPid = nats.pid;
      await nats.kill9();
      expect(nats.isRunning).toBe(false);
      await expect(readInfo(nats.port)).rejects.toThrow('ECONNREFUSED');
      await nats.restart();
      expect(nats.pid).not.toBe(firstPid);
      expect(await readInfo(nats.port)).toMatchObject({ jetstream: true });
    } finally {
      await nats.stop();
    }
    await expect(readInfo(nats.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('leaves JetStream off when told so', async () => {
    const nats = await startNats({ jetstream: false, exclusive: true });
    try {
      expect((await readInfo(nats.port)).jetstream ?? false).toBe(false);
    } finally {
      await nats.stop();
    }
  });
});

describe('startNatsCluster', () => {
  it('is ready when three servers have elected the leader of JetStream', async () => {
    const cluster = await startNatsCluster();
    try {
      expect(new Set(cluster.urls).size).toBe(3);
      const leaders = await Promise.all(
        cluster.servers.map(async ({ monitorUrl }) => {
          const state = (await (await fetch(`${monitorUrl}/jsz`)).json()) as { meta_cluster: { leader: string } };
          return state.meta_cluster.leader;
        }),
      );
      expect(new Set(leaders).size).toBe(1);
      expect(leaders[0]).toMatch(/^n[0-2]$/);
    } finally {
      await cluster.stop();
    }
  });
});
