import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppOptions, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { OperationalError } from '@carillon/service-kit';
import type { ListenSettings, TlsSettings } from './edge-settings.ts';
import { App, EXCLUSIVE_PORT, SHARED_PORT, SSLApp, us_listen_socket_close, us_socket_local_port } from './http/uws.ts';

/** One uWebSockets.js application on one port. */
export interface Listener {
  readonly app: TemplatedApp;
  /** The port in use; 0 before `listen`. */
  readonly port: number;
  /** Throws OperationalError `listen_failed` when the address or port can't be had. */
  listen(): Promise<void>;
  /** Drops every connection. */
  close(): void;
}

export function createListener(settings: ListenSettings, options: { readonly sharePort: boolean }): Listener {
  const app = settings.tls === undefined ? App() : createTlsApp(settings.tls);
  const portOption = options.sharePort ? SHARED_PORT : EXCLUSIVE_PORT;
  let socket: us_listen_socket | undefined;
  let port = 0;
  return {
    app,
    get port() {
      return port;
    },
    listen() {
      return new Promise((resolve, reject) => {
        const done = (listening: us_listen_socket | false): void => {
          if (listening === false) {
            reject(new OperationalError('listen_failed', `cannot listen on ${addressText(settings)}: is it in use?`));
            return;
          }
          socket = listening;
          port = us_socket_local_port(listening);
          resolve();
        };
        const host = settings.address === '' ? [] : [settings.address];
        // The typings lack the overload with a host and options.
        // oxlint-disable-next-line typescript/unbound-method -- applied to its own object
        Reflect.apply(app.listen, app, [...host, settings.port, portOption, done]);
      });
    },
    close() {
      if (socket !== undefined) us_listen_socket_close(socket);
      socket = undefined;
      app.close();
    },
  };
}

function addressText({ address, port }: ListenSettings): string {
  const host = address === '' ? '*' : address.includes(':') ? `[${address}]` : address;
  return `${host}:${port}`;
}

/**
 * uWebSockets.js reads key and certificate from files, once, while the application is made. It asks for client certificates
 * but lets in who has none, so a configuration that requires them is refused: better no listener than an open one.
 */
function createTlsApp(tls: TlsSettings): TemplatedApp {
  if (tls.clientCaPem !== '') {
    throw new OperationalError(
      'client_certificates_unsupported',
      'this listener cannot require client certificates (client_ca): put a proxy that does in front',
      {
        retriable: false,
      },
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
