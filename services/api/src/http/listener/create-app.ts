import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsConfig } from '@carillon/config';
import { OperationalError } from '@carillon/service-kit';
import { App, SSLApp, type AppOptions, type TemplatedApp } from 'uWebSockets.js';

/**
 * A uWS app, with TLS where configured. Throws the `OperationalError` `api_tls`; `client_certificates_unsupported` where
 * clients must have certificates: uWS asks for them, but lets in who has none, so better no listener than an open one.
 */
export function createApp(tls: TlsConfig): TemplatedApp {
  if (!tls.enabled) return App();
  if (tls.clientCaPem !== '') {
    throw new OperationalError(
      'client_certificates_unsupported',
      'the HTTP API cannot require client certificates (client_ca): put a proxy that does in front, or use gRPC',
      { retriable: false },
    );
  }
  // uWS reads certificates from files alone, and at once: they exist for no longer than that, for nobody but us.
  const folder = mkdtempSync(join(tmpdir(), 'carillon-'));
  try {
    return SSLApp(writeFiles(folder, tls));
  } catch (cause) {
    throw new OperationalError('api_tls', 'the TLS certificate or key cannot be used', { cause, retriable: false });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeFiles(folder: string, { certPem, keyPem }: TlsConfig): AppOptions {
  const write = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem, { mode: 0o600 });
    return path;
  };
  return {
    cert_file_name: write('cert.pem', certPem),
    key_file_name: write('key.pem', keyPem),
  };
}
