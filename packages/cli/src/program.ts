import { Command, InvalidArgumentError } from 'commander';
import type { CommandIo } from './command-io.ts';
import { versionLine } from './commands/version.ts';
import { SERVER_FLAGS, serverFlags } from './server-flags.ts';

/** The services a process can run. */
export type ServiceName = 'serve' | 'gateway' | 'api' | 'auth-policy';

export interface ServiceOptions {
  readonly config: string;
  /** Values by option path. */
  readonly flags: Readonly<Record<string, string>>;
  /** Prints how to try the server and serves the demo page. */
  readonly isDev: boolean;
}

/** Runs services until they are told to stop; gives the exit code. `flags` are values by option path. */
export type RunService = (service: ServiceName, options: ServiceOptions, io: CommandIo) => Promise<number>;

/** What the program needs from outside. Services are loaded only when one is run: other commands start fast. */
export interface ProgramContext {
  readonly io: CommandIo;
  readonly loadRunService: () => Promise<RunService>;
  readonly exit: (code: number) => void;
}

const CONFIG = ['-c, --config <file>', 'path of the configuration file', 'config.json'] as const;
const SERVICES: Readonly<Record<ServiceName, string>> = {
  serve: 'run all services in one process',
  gateway: 'run the service that holds client connections',
  api: 'run the server API',
  'auth-policy': 'run the service that asks the application backend',
};

/** The `carillon` command. */
export function createProgram(context: ProgramContext): Command {
  const program = new Command('carillon').description('Real-time messaging server');
  program.configureOutput({
    writeOut: (text) => void context.io.stdout.write(text),
    writeErr: (text) => void context.io.stderr.write(text),
  });
  program.version(versionLine(), '--version', 'print the version');
  addServices(program, context);
  addConfigCommands(program, context);
  addTokenCommands(program, context);
  addTokenChecks(program, context);
  addDemo(program, context);
  program
    .command('version')
    .description('print the version')
    .action(async () => context.exit(await (await import('./commands/version.ts')).versionCommand(context.io)));
  return program;
}

function addServices(program: Command, { io, loadRunService, exit }: ProgramContext): void {
  for (const service of ['serve', 'gateway', 'api', 'auth-policy'] as const) {
    const command = program.command(service, { isDefault: service === 'serve' });
    command.description(SERVICES[service]).option(...CONFIG);
    if (service === 'serve') command.option('--dev', 'serve a demo page and print how to try the server');
    command.option('-p, --port <port>', 'short for --http_server.port');
    command.option('-a, --address <address>', 'short for --http_server.address');
    for (const flag of SERVER_FLAGS) command.option(flag);
    command.action(async (options: Record<string, unknown>) => {
      const runService = await loadRunService();
      const isDev = options['dev'] === true;
      exit(await runService(service, { config: String(options['config']), flags: serverFlags(options), isDev }, io));
    });
  }
}

function addConfigCommands(program: Command, { io, exit }: ProgramContext): void {
  const add = (name: string, doc: string): Command => program.command(name).description(doc);
  add('checkconfig', 'check the configuration')
    .option(...CONFIG)
    .option('-s, --strict', 'unknown keys are an error')
    .action(async (options) => exit(await (await import('./commands/checkconfig.ts')).checkConfigCommand(options, io)));
  add('genconfig', 'write a minimal configuration with random secrets')
    .option(...CONFIG)
    .action(async (options) => exit(await (await import('./commands/genconfig.ts')).genConfigCommand(options, io)));
  add('defaultconfig', 'write a configuration with all defaults')
    .option(...CONFIG)
    .option('-b, --base <file>', 'values to start from')
    .option('-d, --dry-run', 'print instead of writing')
    .action(async (options) =>
      exit(await (await import('./commands/defaultconfig.ts')).defaultConfigCommand(options, io)),
    );
  add('defaultenv', 'print all environment variables with defaults')
    .option('-b, --base <file>', 'values to start from')
    .option('--base-non-zero-only', 'leave out zero values')
    .action(async (options) => exit(await (await import('./commands/defaultenv.ts')).defaultEnvCommand(options, io)));
  add('configdoc', 'serve or print the reference of all options')
    .option('-m, --markdown', 'print Markdown instead of serving')
    .option('-s, --section <name>', 'one group only')
    .option('-p, --port <port>', 'port to serve on', wholeNumber, 6060)
    .option('-l, --base-level <level>', 'added to heading levels', wholeNumber, 0)
    .action(async (options) => exit(await (await import('./commands/configdoc.ts')).configDocCommand(options, io)));
}

function addTokenCommands(program: Command, { io, exit }: ProgramContext): void {
  const add = (name: string, doc: string): Command =>
    program
      .command(name)
      .description(doc)
      .option(...CONFIG)
      .option('-u, --user <user>', 'user ID', '')
      .option('-t, --ttl <seconds>', 'life of the token; negative never expires', wholeNumber, 604_800)
      .option('-q, --quiet', 'print the token only');
  add('gentoken', 'make a connection token for development').action(async (options) =>
    exit(await (await import('./commands/gentoken.ts')).genTokenCommand(options, io)),
  );
  add('gensubtoken', 'make a subscription token for development')
    .option('-s, --channel <channel>', 'channel', '')
    .action(async (options) => exit(await (await import('./commands/gensubtoken.ts')).genSubTokenCommand(options, io)));
}

function addTokenChecks(program: Command, { io, exit }: ProgramContext): void {
  const add = (name: string, doc: string): Command =>
    program
      .command(name)
      .description(doc)
      .argument('[token...]', 'the token')
      .option(...CONFIG);
  add('checktoken', 'verify a connection token').action(async (tokens, options) =>
    exit(await (await import('./commands/checktoken.ts')).checkTokenCommand(tokens, options, io)),
  );
  add('checksubtoken', 'verify a subscription token').action(async (tokens, options) =>
    exit(await (await import('./commands/checksubtoken.ts')).checkSubTokenCommand(tokens, options, io)),
  );
}

function addDemo(program: Command, { io, exit }: ProgramContext): void {
  program
    .command('demo')
    .description('serve a demo page with a token endpoint, for a cluster that the page reaches under the same address')
    .option(...CONFIG)
    .option('-p, --port <port>', 'port to serve on', wholeNumber, 8080)
    .option('-a, --address <address>', 'address to serve on; anybody who reaches it gets tokens', '127.0.0.1')
    .action(async (options) => exit(await (await import('./demo/demo-command.ts')).demoCommand(options, io)));
}

function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
