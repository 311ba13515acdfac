import { apiFile } from '@carillon/protocol/api';
import type { Clock, Health, TimerHandle } from '@carillon/service-kit';
import { status, type handleServerStreamingCall, type handleUnaryCall, type Server } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';

// `grpc.health.v1.Health`, which no schema of ours has. Request: service 1, a string. Response: status 1, an enumeration.
const PATH = '/grpc.health.v1.Health';
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

const MAX_REQUEST_BYTES = 1_024;
const MAX_WATCHES = 1_000;
/** How soon a watch tells of a change. */
const WATCH_PERIOD_MS = 1_000;

export interface HealthServiceDeps {
  readonly health: Pick<Health, 'report'>;
  readonly clock: Clock;
}

type Watch = ServerWritableStream<Question, number>;

/** An object, since the library takes a request that is falsy for none. */
interface Question {
  readonly service: string;
}

/** Health as load balancers ask for it over gRPC: of the server (no name) and of the API. No key is asked for. */
export class HealthService {
  readonly #health: Pick<Health, 'report'>;
  readonly #clock: Clock;
  /** What each watch was told last. */
  readonly #watches: Map<Watch, number> = new Map();
  #timer: TimerHandle | undefined = undefined;

  constructor({ health, clock }: HealthServiceDeps) {
    this.#health = health;
    this.#clock = clock;
  }

  addTo(server: Server): void {
    const codec = {
      requestStream: false,
      requestSerialize: ({ service }: Question) => Buffer.from(service),
      requestDeserialize: readService,
      responseSerialize: (value: number) => Buffer.of(1 << 3, value),
      responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
    };
    const definition = {
      check: { ...codec, path: `${PATH}/Check`, responseStream: false },
      watch: { ...codec, path: `${PATH}/Watch`, responseStream: true },
    };
    server.addService(definition, { check: this.#check, watch: this.#watch });
  }

  /** So that a drain need not wait for watches, which never end by themselves. */
  endWatches(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const watch of this.#watches.keys()) {
      watch.write(NOT_SERVING);
      watch.end();
    }
    this.#watches.clear();
  }

  readonly #check: handleUnaryCall<Question, number> = ({ request }, reply) => {
    const value = this.#statusOf(request);
    if (value === SERVICE_UNKNOWN) reply({ code: status.NOT_FOUND, details: 'unknown service' });
    else reply(null, value);
  };

  readonly #watch: handleServerStreamingCall<Question, number> = (watch) => {
    if (this.#watches.size >= MAX_WATCHES) {
      watch.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watches' });
      return;
    }
    const value = this.#statusOf(watch.request);
    this.#watches.set(watch, value);
    watch.on('cancelled', () => this.#watches.delete(watch));
    watch.write(value);
    this.#schedule();
  };

  #schedule(): void {
    if (this.#timer !== undefined || this.#watches.size === 0) return;
    this.#timer = this.#clock.setTimer(WATCH_PERIOD_MS, () => {
      this.#timer = undefined;
      for (const [watch, told] of this.#watches) {
        const value = this.#statusOf(watch.request);
        if (value === told) continue;
        this.#watches.set(watch, value);
        watch.write(value);
      }
      this.#schedule();
    });
    this.#timer.unref();
  }

  #statusOf({ service }: Question): number {
    if (service !== '' && service !== apiFile.service) return SERVICE_UNKNOWN;
    return this.#health.report().ok ? SERVING : NOT_SERVING;
  }
}

/** The one field of a request; unknown fields would be none of a health check. Throws for anything else. */
function readService(bytes: Buffer): Question {
  if (bytes.length === 0) return { service: '' };
  const length = bytes[1] ?? 0;
  const isShort = bytes.length <= MAX_REQUEST_BYTES && bytes[0] === ((1 << 3) | 2) && length < 0x80;
  if (!isShort || bytes.length !== length + 2) throw new RangeError('not a health request');
  return { service: bytes.toString('utf8', 2) };
}
