import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import { withDeadline, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';

/** All IP addresses of a name. Rejects where it has none, or nobody can tell. */
export type LookupAddresses = (name: string) => Promise<readonly string[]>;

export interface AddressWatchOptions {
  /** `host:port`: IP literals, IPv6 ones in brackets, and names. */
  readonly addresses: readonly string[];
  /** Of addresses that name none. */
  readonly defaultPort: number;
  readonly lookup: LookupAddresses;
  /** All that is known: `ip:port`. Called when it changes. */
  readonly onAddresses: (addresses: ReadonlySet<string>) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to below 1; of too many addresses each caller takes others. */
  readonly random: () => number;
}

/** Instances come and go: a new one is found within this time. */
const LOOKUP_INTERVAL_MS = 5_000;
/** Between two looks when something is wrong. */
const HURRIED_INTERVAL_MS = 500;
const LOOKUP_TIMEOUT_MS = 3_000;
/** Connections to auth-policy that one caller holds. */
const MAX_INSTANCES = 64;

interface Target {
  readonly host: string;
  readonly port: string;
  /** Of the last look that succeeded, as `ip:port`. */
  addresses: readonly string[];
  isUnknown: boolean;
}

/**
 * Knows which addresses the configured names stand for: looks every few seconds, and soon after a connection was lost. A name
 * that cannot be resolved keeps the addresses it had: a DNS outage must not take working connections away.
 */
export class AddressWatch {
  readonly #options: AddressWatchOptions;
  readonly #targets: readonly Target[];
  #current: ReadonlySet<string> = new Set();
  #timer: TimerHandle | undefined = undefined;
  #isLooking = false;
  #lookedAt = -Infinity;
  #isClosed = false;

  constructor(options: AddressWatchOptions) {
    this.#options = options;
    this.#targets = options.addresses.map((address) => parseTarget(address, options.defaultPort));
  }

  /** IP literals are reported before it returns. */
  start(): void {
    this.#report();
    void this.#look();
  }

  /** Something was wrong with an address: looks now, or as soon as the last look is not quite fresh any more. */
  lookAgain(): void {
    if (this.#isClosed || this.#isLooking) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#schedule(this.#lookedAt + HURRIED_INTERVAL_MS - clock.monotonic());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const names = this.#targets.filter(({ host }) => isIP(host) === 0);
    if (names.length === 0) return;
    this.#isLooking = true;
    this.#lookedAt = this.#options.clock.monotonic();
    await Promise.all(names.map((target) => this.#resolve(target)));
    this.#isLooking = false;
    if (this.#isClosed) return;
    this.#report();
    this.#schedule(names.some(({ isUnknown }) => isUnknown) ? HURRIED_INTERVAL_MS : LOOKUP_INTERVAL_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#targets.every(({ host }) => isIP(host) !== 0)) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#look());
  }

  async #resolve(target: Target): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const found = await withDeadline(this.#options.lookup(target.host), LOOKUP_TIMEOUT_MS, 'lookup_timeout', clock);
      target.addresses = preferred(found).map((ip) => joined(ip, target.port));
      target.isUnknown = false;
    } catch (error) {
      // Once per outage.
      if (!target.isUnknown) log.warn('cannot resolve the name of auth-policy', { name: target.host, error });
      target.isUnknown = true;
    }
  }

  #report(): void {
    const all = new Set(this.#targets.flatMap(({ addresses }) => addresses));
    const chosen = all.size <= MAX_INSTANCES ? all : this.#some(all);
    if (chosen.size === this.#current.size && [...chosen].every((address) => this.#current.has(address))) return;
    this.#current = chosen;
    this.#options.onAddresses(chosen);
  }

  /** Those in use stay, chance adds to them. */
  #some(all: ReadonlySet<string>): ReadonlySet<string> {
    const kept = [...this.#current].filter((address) => all.has(address));
    const others = [...all].filter((address) => !this.#current.has(address));
    const ranked = others.map((address) => ({ address, rank: this.#options.random() }));
    ranked.sort((left, right) => left.rank - right.rank);
    return new Set([...kept, ...ranked.map(({ address }) => address)].slice(0, MAX_INSTANCES));
  }
}

/** With the schemes of other gRPC clients before it, if somebody is used to them. */
const TARGET = /^(?:dns:\/\/\/|grpc:\/\/)?(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:]+))(?::(?<port>\d+))?$/;

/** `getaddrinfo`, so that /etc/hosts and the search domains of a container count. */
export const lookupAddresses: LookupAddresses = async (name) => {
  const found = await lookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

function parseTarget(address: string, defaultPort: number): Target {
  const { bracketed, plain, port = String(defaultPort) } = TARGET.exec(address)?.groups ?? {};
  const host = bracketed ?? plain ?? address;
  return { host, port, addresses: isIP(host) === 0 ? [] : [joined(host, port)], isUnknown: false };
}

function joined(ip: string, port: string): string {
  return isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** An instance with addresses of both families is one instance: its IPv4 address stands for it. */
function preferred(ips: readonly string[]): readonly string[] {
  const ipv4 = ips.filter((ip) => isIP(ip) === 4);
  return ipv4.length > 0 ? ipv4 : ips;
}
