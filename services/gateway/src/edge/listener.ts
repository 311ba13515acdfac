import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { OperationalError } from '@carillon/service-kit';
import type { ListenSettings, TlsSettings } from './edge-settings.ts';
import { createApp } from './http/create-app.ts';
import { answeringOnce } from './http/one-request.ts';
import { EXCLUSIVE_PORT, SHARED_PORT, us_listen_socket_close, us_socket_local_port } from './http/uws.ts';

/** Routes, in the order in which they are mounted. Called again for the application of each new certificate. */
export type AddRoutes = (app: TemplatedApp) => void;

export interface ListenerOptions {
  /** Several processes may have the port. */
  readonly sharePort: boolean;
  /** Connections begin with a header that tells the address of the client. */
  readonly proxyProtocol: boolean;
  /** Around an application while routes are added. Default: nothing. */
  readonly instrument?: InstrumentApp | undefined;
}

/** The same application, whose routes are watched from outside. */
export type InstrumentApp = (app: TemplatedApp) => TemplatedApp;

/** Connections of older certificates are kept for so many changes; then their clients have to reconnect. */
const MAX_RETIRED_APPS = 4;

/**
 * One port. uWebSockets.js can't change the certificate of an application, so a new one gets an application of its own
 * that takes the port over; the connections of the old one live on in it.
 */
export class Listener {
  readonly #settings: ListenSettings;
  readonly #portOption: number;
  readonly #routes: AddRoutes[] = [];
  readonly #instrument: InstrumentApp;
  readonly #createApp: (tls: TlsSettings | undefined) => TemplatedApp;
  #tls: TlsSettings | undefined;
  #app: TemplatedApp;
  #retired: readonly TemplatedApp[] = [];
  #socket: us_listen_socket | undefined = undefined;
  #port = 0;

  /** Throws OperationalError when the certificate can't be used. */
  constructor(settings: ListenSettings, { sharePort, proxyProtocol, instrument }: ListenerOptions) {
    this.#settings = settings;
    this.#portOption = sharePort ? SHARED_PORT : EXCLUSIVE_PORT;
    this.#tls = settings.tls;
    this.#instrument = instrument ?? ((app) => app);
    this.#createApp = (tls) => (proxyProtocol ? answeringOnce(createApp(tls)) : createApp(tls));
    this.#app = this.#createApp(settings.tls);
  }

  /** The port in use; 0 before `listen`. */
  get port(): number {
    return this.#port;
  }

  /** Before `listen` only. */
  mount(addRoutes: AddRoutes): void {
    this.#routes.push(addRoutes);
    addRoutes(this.#instrument(this.#app));
  }

  /** Throws OperationalError `listen_failed` when the address or port can't be had. */
  async listen(): Promise<void> {
    await this.#listenAt(this.#settings.port);
  }

  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message, isBinary, compress);
    for (const app of this.#retired) app.publish(topic, message, isBinary, compress);
  }

  /**
   * New connections get this certificate. Nothing happens when it is the one in use, or when the port is without TLS.
   * Throws OperationalError when it can't be used; the old one stays then.
   */
  async useCertificate(tls: TlsSettings | undefined): Promise<void> {
    if (this.#tls === undefined || tls === undefined || this.#socket === undefined) return;
    if (tls.certPem === this.#tls.certPem && tls.keyPem === this.#tls.keyPem) return;
    const app = this.#createApp(tls);
    for (const addRoutes of this.#routes) addRoutes(this.#instrument(app));
    this.stopListening();
    const retired = [this.#app, ...this.#retired];
    for (const old of retired.slice(MAX_RETIRED_APPS)) old.close();
    this.#retired = retired.slice(0, MAX_RETIRED_APPS);
    this.#app = app;
    this.#tls = tls;
    // In the same turn: nobody finds the port closed for longer than that.
    await this.#listenAt(this.#port);
  }

  /** Takes no new connection; those that are there go on. */
  stopListening(): void {
    if (this.#socket !== undefined) us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  /** Drops every connection. */
  close(): void {
    this.stopListening();
    for (const app of [this.#app, ...this.#retired]) app.close();
    this.#retired = [];
  }

  #listenAt(port: number): Promise<void> {
    const app = this.#app;
    return new Promise((resolve, reject) => {
      const done = (listening: us_listen_socket | false): void => {
        if (listening === false) {
          const where = addressText(this.#settings);
          reject(new OperationalError('listen_failed', `cannot listen on ${where}: is it in use?`));
          return;
        }
        this.#socket = listening;
        this.#port = us_socket_local_port(listening);
        resolve();
      };
      const host = this.#settings.address === '' ? [] : [this.#settings.address];
      // The typings lack the overload with a host and options.
      // oxlint-disable-next-line typescript/unbound-method -- applied to its own object
      Reflect.apply(app.listen, app, [...host, port, this.#portOption, done]);
    });
  }
}

function addressText({ address, port }: ListenSettings): string {
  const host = address === '' ? '*' : address.includes(':') ? `[${address}]` : address;
  return `${host}:${port}`;
}
