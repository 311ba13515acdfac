import type { TlsConfig } from '@carillon/config';
import { OperationalError } from '@carillon/service-kit';
import { us_listen_socket_close, us_socket_local_port, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { ListenerSettings } from '../../config.ts';
import { createApp } from './create-app.ts';

/** Connections of older certificates are kept for so many changes; then they end. */
const MAX_RETIRED_APPS = 4;

/**
 * One HTTP port of our own. uWebSockets.js can't change the certificate of an application, so a new one gets an application
 * of its own that takes the port over; the connections of the old one live on in it.
 */
export class HttpListener {
  readonly #settings: ListenerSettings;
  readonly #addRoutes: (app: TemplatedApp) => void;
  #tls: TlsConfig;
  #app: TemplatedApp;
  #retired: readonly TemplatedApp[] = [];
  #socket: us_listen_socket | undefined = undefined;

  /** `addRoutes` is called for each application. Throws the `OperationalError` `api_tls` for a certificate that cannot be used. */
  constructor(settings: ListenerSettings, addRoutes: (app: TemplatedApp) => void) {
    this.#settings = settings;
    this.#addRoutes = addRoutes;
    this.#tls = settings.tls;
    this.#app = this.#createApp(settings.tls);
  }

  /** Listens; gives the port. Rejects with the `OperationalError` `api_http_listen` if it cannot be had. */
  async listen(): Promise<number> {
    return this.#listenAt(this.#settings.port);
  }

  /**
   * New connections get this certificate. Nothing happens when it is the one in use, or where the port is without TLS.
   * Rejects with the `OperationalError` `api_tls` when it can't be used; the old one stays then.
   */
  async useCertificate(tls: TlsConfig): Promise<void> {
    if (!this.#tls.enabled || !tls.enabled || this.#socket === undefined) return;
    if (tls.certPem === this.#tls.certPem && tls.keyPem === this.#tls.keyPem) return;
    const app = this.#createApp(tls);
    const port = us_socket_local_port(this.#socket);
    this.stopListening();
    const retired = [this.#app, ...this.#retired];
    for (const old of retired.slice(MAX_RETIRED_APPS)) old.close();
    this.#retired = retired.slice(0, MAX_RETIRED_APPS);
    this.#app = app;
    this.#tls = tls;
    // In the same turn: nobody finds the port closed for longer than that.
    await this.#listenAt(port);
  }

  #createApp(tls: TlsConfig): TemplatedApp {
    const app = createApp(tls);
    this.#addRoutes(app);
    return app;
  }

  async #listenAt(port: number): Promise<number> {
    const { address } = this.#settings;
    return new Promise((resolve, reject) => {
      const onListen = (socket: us_listen_socket | false): void => {
        if (socket === false) {
          const where = address === '' ? `port ${port}` : `${address}:${port}`;
          const message = `cannot listen on ${where}: it is taken, or not ours to take`;
          reject(new OperationalError('api_http_listen', message, { retriable: false }));
          return;
        }
        this.#socket = socket;
        resolve(us_socket_local_port(socket));
      };
      if (address === '') this.#app.listen(port, onListen);
      else this.#app.listen(address, port, onListen);
    });
  }

  /** Takes no new connection; those that are there go on. */
  stopListening(): void {
    if (this.#socket !== undefined) us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  /** Ends every connection. */
  close(): void {
    this.#socket = undefined;
    for (const app of [this.#app, ...this.#retired]) app.close();
    this.#retired = [];
  }
}
