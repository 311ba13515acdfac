import { randomBytes } from 'node:crypto';
import { formatConfigFile } from '@carillon/config';
import type { CommandIo, ConfigOption } from '../command-io.ts';
import { reasonOf } from '../load-command-config.ts';
import { formatOf, writeNewFile } from './write-new-file.ts';

/** `genconfig`: writes a minimal configuration with random secrets (tokens.md 13). Silent. */
export async function genConfigCommand(options: ConfigOption, io: CommandIo): Promise<number> {
  try {
    const values = {
      client: { token: { hmac_secret_key: secret(64) }, allowed_origins: [] },
      admin: { enabled: false, password: secret(16), secret: secret(64) },
      http_api: { key: secret(64) },
    };
    writeNewFile(options.config, formatConfigFile(values, formatOf(options.config)), io.cwd);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}

function secret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
