import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Config } from '@carillon/config';
import { createLog, systemClock } from '@carillon/service-kit';
import type { CommandIo } from '../command-io.ts';
import { forkWorker } from './fork-worker.ts';
import { superviseWorkers } from './supervise-workers.ts';
import { workerCount } from './worker-config.ts';

/** What a worker may need beyond `shutdown.timeout`: to stop what it has drained. */
const STOP_MARGIN_MS = 15_000;

/** Runs `gateway.workers` processes that share the main port, until a signal stops them. Gives the exit code. */
export async function runWorkers(config: Config, io: CommandIo): Promise<number> {
  const { port, address } = config.httpServer;
  const refusal =
    port === 0 ? 'gateway.workers needs a fixed http_server.port' : await reasonPortIsTaken(port, address);
  if (refusal !== undefined) {
    io.stderr.write(`carillon: ${refusal}\n`);
    return 1;
  }
  const log = createLog({ level: config.log.level, file: config.log.file, fields: { service: 'supervisor' } });
  const count = workerCount(config);
  if (config.httpServer.internalPort === 0) {
    log.warn('workers share the port of /health and /metrics, set http_server.internal_port to give each its own');
  }
  const supervisor = superviseWorkers({
    count,
    spawn: forkWorker,
    stopTimeoutMs: config.shutdown.timeoutMs + STOP_MARGIN_MS,
    clock: systemClock,
    log,
    onReady() {
      if (config.pidFile !== '') writeFileSync(config.pidFile, `${process.pid}\n`);
      log.info('carillon is ready', { workers: count });
    },
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => supervisor.signal(name));
  const code = await supervisor.exited;
  if (config.pidFile !== '') rmSync(config.pidFile, { force: true });
  return code;
}

/** Sockets that share a port with each other would also share it with an older server that is still there. */
function reasonPortIsTaken(port: number, address: string): Promise<string | undefined> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error) => resolve(`cannot listen on port ${port}: ${error.message}`));
    probe.listen({ port, host: address === '' ? undefined : address }, () => probe.close(() => resolve(undefined)));
  });
}
