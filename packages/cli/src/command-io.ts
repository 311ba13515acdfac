/** What a command may touch, so that tests can stand in for the terminal. */
export interface CommandIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that relative paths start from. */
  readonly cwd: string;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Aborted when a command that serves should stop. */
  readonly stop: AbortSignal;
}

export interface TextSink {
  readonly write: (text: string) => unknown;
}

/** Where a command finds its configuration. */
export interface ConfigOption {
  /** Path of the file, relative to the working directory. */
  readonly config: string;
}
