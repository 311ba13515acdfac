import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppOptions, TemplatedApp } from 'uWebSockets.js';
import { OperationalError } from '@carillon/service-kit';
import type { TlsSettings } from '../edge-settings.ts';
import { App, SSLApp } from './uws.ts';

/**
 * An application of uWebSockets.js. With TLS it reads key and certificate from files, once, while the application is made. It
 * asks for client certificates but lets in who has none, so a configuration that requires them is refused: better no
 * listener than an open one. Throws OperationalError `client_certificates_unsupported` or `tls_unusable`.
 */
export function createApp(tls: TlsSettings | undefined): TemplatedApp {
  if (tls === undefined) return App();
  if (tls.clientCaPem !== '') {
    throw new OperationalError(
      'client_certificates_unsupported',
      'this listener cannot require client certificates (client_ca): put a proxy that does in front',
      { retriable: false },
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
  const file = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem, { mode: 0o600 });
    return path;
  };
  try {
    const options: AppOptions = {
      key_file_name: file('key.pem', tls.keyPem),
      cert_file_name: file('cert.pem', tls.certPem),
    };
    return SSLApp(options);
  } catch (cause) {
    throw new OperationalError('tls_unusable', 'the TLS certificate or key cannot be used', {
      cause,
      retriable: false,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
