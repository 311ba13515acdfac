import { once } from 'node:events';
import { createServer } from 'node:http';
import { configReferenceMarkdown } from '@carillon/config';
import type { CommandIo } from '../command-io.ts';
import { reasonOf } from '../load-command-config.ts';

export interface ConfigDocOptions {
  /** Print instead of serving. */
  readonly markdown?: boolean | undefined;
  readonly section?: string | undefined;
  readonly port: number;
  readonly baseLevel: number;
}

/** `configdoc`: the reference of options, printed or served over HTTP until stopped (tokens.md 13). */
export async function configDocCommand(options: ConfigDocOptions, io: CommandIo): Promise<number> {
  const text = configReferenceMarkdown({ section: options.section, baseLevel: options.baseLevel });
  if (text === undefined) {
    io.stdout.write(`error: section ${options.section ?? ''} not found\n`);
    return 1;
  }
  if (options.markdown === true) {
    io.stdout.write(text);
    return 0;
  }
  try {
    await serveText(text, options.port, io);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}

async function serveText(text: string, port: number, io: CommandIo): Promise<void> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  io.stdout.write(`configuration reference on http://localhost:${port}\n`);
  if (!io.stop.aborted) await once(io.stop, 'abort');
  server.close();
  server.closeAllConnections();
}
