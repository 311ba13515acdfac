/** At which step the configuration was refused: while reading values, or by the rules between them. */
export type ConfigStage = 'read' | 'validate';

/** A configuration that cannot be used. The message names the key, and the file (with line) or variable. */
export class ConfigError extends Error {
  readonly code = 'invalid_config';
  readonly stage: ConfigStage;

  constructor(stage: ConfigStage, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
    this.stage = stage;
  }
}
