import { COMPAT_VERSION } from '@carillon/protocol/codes';
import type { CommandIo } from '../command-io.ts';
import { ownVersion } from '../own-version.ts';

/** `version`: our version, the one we are compatible with, and the runtime's. */
export async function versionCommand(io: CommandIo): Promise<number> {
  io.stdout.write(`${versionLine()}\n`);
  return 0;
}

export function versionLine(): string {
  const compatible = COMPAT_VERSION.split(' ', 1)[0];
  return `Carillon v${ownVersion()} (compatible with Centrifugo v${compatible}, Node version: ${process.version})`;
}
