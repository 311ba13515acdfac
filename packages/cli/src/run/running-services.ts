import type { Config } from '@carillon/config';

/** What the command does with the services of this process once they are composed. */
export interface RunningServices {
  /** A new configuration was read (SIGHUP): what may change takes effect (channels-and-config §3.1). Throws if it can't. */
  reload(config: Config): Promise<void> | void;
  /** Everything listens. */
  onReady(): void;
}
