import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '@carillon/dev-tools/test-certificate';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog } from '@carillon/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from '../nats-connection.ts';
import type { NatsTlsOptions } from './nats-options.ts';

describe('a NATS server with TLS', () => {
  let nats: TestNats;
  let folder: string;
  let ca: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-nats-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const pem = selfSignedCertificate('nats.test');
    writeFileSync(key, pem.key);
    writeFileSync(cert, pem.cert);
    ca = pem.cert;
    const extraConfig = `tls { cert_file: "${cert}", key_file: "${key}" }`;
    nats = await startNats({ exclusive: true, extraConfig });
  });

  afterAll(async () => {
    await nats.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function outcomeOf(tls: NatsTlsOptions): Promise<string> {
    const options = { url: nats.url, tls, prefix: 'tls', log: createSilentLog(), connectDeadlineMs: 1_500 };
    try {
      const link = await connectNats(options);
      await link.close();
      return 'connected';
    } catch (error) {
      return error instanceof Error ? String(Reflect.get(error, 'code')) : 'another failure';
    }
  }

  it('is reached by the name in its certificate, whatever the host of the URL', async () => {
    expect(await outcomeOf({ ca, serverName: 'nats.test' })).toBe('connected');
  });

  it('is not trusted under another name, or by another authority', async () => {
    expect(await outcomeOf({ ca })).toBe('nats_connect');
    expect(await outcomeOf({ ca, serverName: 'other.test' })).toBe('nats_connect');
    expect(await outcomeOf({ serverName: 'nats.test' })).toBe('nats_connect');
  });

  it('is trusted whatever it shows where that is asked for', async () => {
    expect(await outcomeOf({ insecureSkipVerify: true })).toBe('connected');
    expect(await outcomeOf({ insecureSkipVerify: false })).toBe('nats_connect');
  });
});
