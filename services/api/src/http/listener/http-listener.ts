import { OperationalError } from '@carillon/service-kit';
import { us_listen_socket_close, us_socket_local_port, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { ListenerSettings } from '../../config.ts';
import { createApp } from './create-app.ts';

/** One HTTP port of our own. */
export class HttpListener {
  readonly #settings: ListenerSettings;
  readonly #app: TemplatedApp;
  #socket: us_listen_socket | undefined = undefined;

  /** `addRoutes` is called once. Throws the `OperationalError` `api_tls` for a certificate that cannot be used. */
  constructor(settings: ListenerSettings, addRoutes: (app: TemplatedApp) => void) {
    this.#settings = settings;
    this.#app = createApp(settings.tls);
    addRoutes(this.#app);
  }

  /** Listens; gives the port. Rejects with the `OperationalError` `api_http_listen` if it cannot be had. */
  async listen(): Promise<number> {
    const { address, port } = this.#settings;
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
    this.#app.close();
  }
}
