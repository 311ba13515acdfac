import { rmSync, writeFileSync } from 'node:fs';
import { ConfigError, type Config } from '@carillon/config';
import { handleProcessSignals, OperationalError } from '@carillon/service-kit';
import type { CommandIo } from '../command-io.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';
import type { RunService, ServiceName } from '../program.ts';
import { createProcessRuntime, type ProcessRuntime } from '../run/process-runtime.ts';
import { runApi, runAuthPolicy, runGateway } from '../run/run-service-alone.ts';
import { runStandalone } from '../run/run-standalone.ts';
import { joinSupervisor } from '../run/fork-worker.ts';
import { runWorkers } from '../run/run-workers.ts';
import type { RunningServices } from '../run/running-services.ts';
import { singleProcessConfig, workerConfig, workerCount, workerIndex } from '../run/worker-config.ts';

/** Runs services until a signal stops them. Exit code 1 with a message on stderr when they can't start. */
export const runService: RunService = async (service, options, io) => {
  const load = (): Config => loadCommandConfig(options, io).config;
  let config: Config;
  try {
    config = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
  const index = workerIndex(io.env);
  if (index > 0) config = workerConfig(config, index);
  else if (!mayHaveWorkers(service, config)) config = singleProcessConfig(config);
  else if (workerCount(config) > 1) return runWorkers(config, io);
  const runtime = await createProcessRuntime(config, service === 'serve' ? 'standalone' : service);
  const stopped = Promise.withResolvers<number>();
  try {
    const services = await compose(service, config, { runtime, io, isDev: options.isDev });
    handleProcessSignals({ lifecycle: runtime.lifecycle, log: runtime.log, process: exitingBy(stopped.resolve) });
    await runtime.lifecycle.start();
    writePidFile(config);
    reloadOnHangup(services, { load: () => (index > 0 ? workerConfig(load(), index) : load()), runtime });
    services.onReady();
    if (index > 0) joinSupervisor();
    runtime.log.info('carillon is ready', { role: service });
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    runtime.log.fatal('carillon did not start', { error });
    io.stderr.write(`carillon: ${reasonOf(error)}\n`);
    return 1;
  }
  const code = await stopped.promise;
  if (config.pidFile !== '') rmSync(config.pidFile, { force: true });
  return code;
};

/** Clients can be spread over processes that NATS connects. */
function mayHaveWorkers(service: ServiceName, { nats }: Config): boolean {
  return service === 'gateway' || (service === 'serve' && nats.url.length > 0);
}

interface Composing {
  readonly runtime: ProcessRuntime;
  readonly io: CommandIo;
  readonly isDev: boolean;
}

function compose(service: ServiceName, config: Config, { runtime, io, isDev }: Composing): Promise<RunningServices> {
  switch (service) {
    case 'serve':
      return runStandalone(config, runtime, { io, isDev });
    case 'gateway':
      return runGateway(config, runtime);
    case 'api':
      return runApi(config, runtime);
    case 'auth-policy':
      return runAuthPolicy(config, runtime);
  }
}

/** SIGHUP reads the configuration again; one that is broken is logged and the old one kept (channels-and-config §3.1). */
function reloadOnHangup(
  services: RunningServices,
  { load, runtime }: { readonly load: () => Config; readonly runtime: ProcessRuntime },
): void {
  const reload = async (): Promise<void> => {
    try {
      await services.reload(load());
      runtime.log.info('configuration reloaded');
    } catch (error) {
      runtime.log.error('configuration not reloaded, the old one stays', { error });
    }
  };
  process.on('SIGHUP', () => void reload());
}

function writePidFile({ pidFile }: Config): void {
  if (pidFile !== '') writeFileSync(pidFile, `${process.pid}\n`);
}

/** The first orderly end gives the exit code to the command; a forced one exits at once. */
function exitingBy(resolve: (code: number) => void) {
  return {
    on: (event: string, listener: (value: unknown) => void): unknown => process.on(event, listener),
    off: (event: string, listener: (value: unknown) => void): unknown => process.off(event, listener),
    exit(code: number): void {
      resolve(code);
      // Handles that a library left open must not keep the process.
      setTimeout(() => process.exit(code), 500).unref();
    },
  };
}
