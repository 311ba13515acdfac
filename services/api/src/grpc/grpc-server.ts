import type { TlsConfig } from '@carillon/config';
import { OperationalError, type Clock, type Health, type Log } from '@carillon/service-kit';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { GrpcApiSettings } from '../config.ts';
import type { FollowCall } from '../method/follow/follow-calls.ts';
import type { MethodTable } from '../method/method-table.ts';
import { API_SERVICE } from './absent-methods.ts';
import { CONNECTION_LIMITS, connectionOptions, type ConnectionLimits } from './connection-limits.ts';
import { createGrpcCertificate, type GrpcCertificate } from '@carillon/service-kit/grpc';
import { createGrpcMethods } from './grpc-methods.ts';
import { HealthService } from './health-service.ts';
import { addReflection } from './reflection.ts';

export interface GrpcApiDeps {
  readonly settings: GrpcApiSettings;
  readonly table: MethodTable;
  readonly follow: FollowCall;
  readonly health: Pick<Health, 'report'>;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: shorter ones. */
  readonly limits?: ConnectionLimits | undefined;
}

/** The server API over gRPC, on a port of its own (server-api §4). */
export class GrpcApi {
  readonly #settings: GrpcApiSettings;
  readonly #server: Server;
  readonly #healthService: HealthService;
  #certificate: GrpcCertificate | undefined = undefined;

  constructor({ settings, table, follow, health, clock, log, limits = CONNECTION_LIMITS }: GrpcApiDeps) {
    this.#settings = settings;
    this.#server = new Server({
      'grpc.max_receive_message_length': settings.maxReceiveBytes,
      // History of a channel may be larger than what a caller may send.
      'grpc.max_send_message_length': -1,
      ...connectionOptions(limits),
    });
    const { key, errorMode } = settings;
    const onFailure = (error: unknown): void => log.error('cannot answer an API call', { error });
    this.#server.addService(API_SERVICE, createGrpcMethods({ key, errorMode, table, follow, onFailure }));
    this.#healthService = new HealthService({ health, clock });
    this.#healthService.addTo(this.#server);
    if (settings.hasReflection) addReflection(this.#server);
  }

  /** Listens; gives the port. Rejects with the `OperationalError` `api_grpc_listen`. */
  async listen(): Promise<number> {
    const { address, port, tls } = this.#settings;
    this.#certificate = tls.enabled ? createGrpcCertificate(tls, 'api_tls') : undefined;
    const credentials = this.#certificate?.credentials ?? ServerCredentials.createInsecure();
    try {
      return await this.#bind(address === '' ? '[::]' : hostOf(address), credentials).catch((error: unknown) => {
        // A machine without IPv6 has no [::].
        if (address === '') return this.#bind('0.0.0.0', credentials);
        throw error;
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `cannot listen on gRPC port ${port}: ${reason}`;
      throw new OperationalError('api_grpc_listen', message, { cause, retriable: false });
    }
  }

  async #bind(host: string, credentials: ServerCredentials): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${this.#settings.port}`, credentials, (cause, bound) => {
        if (cause === null) resolve(bound);
        else reject(cause);
      });
    });
  }

  /**
   * New connections get this certificate; those that are open stay. Nothing happens where the port is without TLS. Throws the
   * `OperationalError` `api_tls` for one that can't be used; the old one stays then.
   */
  useCertificate(tls: TlsConfig): void {
    if (tls.enabled) this.#certificate?.use(tls);
  }

  /** Takes no new call and waits for those under way, until the signal aborts. */
  async drain(signal: AbortSignal | undefined): Promise<void> {
    this.#healthService.endWatches();
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  close(): void {
    this.#healthService.endWatches();
    this.#server.forceShutdown();
  }
}

function hostOf(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}
