import type { ConfigName } from './configs.ts';
import type { Trial } from './trial.ts';

/** One row of a checklist of the wire contract. */
export interface Scenario {
  /** Document and number of the row: `client 54`, `api 19`, `tokens 12`, `channels 43`. Letters tell parts apart. */
  readonly id: string;
  /** What must hold, as a sentence. */
  readonly name: string;
  /** The configuration that the server runs with. Default: `main`. */
  readonly config?: ConfigName | undefined;
  /** Sends and expects; throws if the server behaves otherwise. */
  readonly steps: (trial: Trial) => Promise<void>;
}

/** A row of a checklist that a server with the main configuration is asked about. */
export function row(id: string, name: string, steps: Scenario['steps']): Scenario {
  return { id, name, steps };
}

/** A row for a server with another configuration. */
export function rowFor(config: ConfigName, id: string, name: string, steps: Scenario['steps']): Scenario {
  return { id, name, config, steps };
}
