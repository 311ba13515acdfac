// Run: node --conditions=development services/auth-policy/src/grpc/hop.bench.ts [connects] [in flight]
// CPU per proxied connect of everything that is ours, gateway side and auth-policy together (they share this process);
// application backends run in another one. The lines differ in how the question travels and who answers it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { defaultConfig } from '@carillon/config';
import { fromWireDecision, toWireQuestion, type Ask, type Decision, type DecisionService } from '@carillon/policy';
import { policyMethods } from '@carillon/protocol/cluster';
import type { ConnectRequest, ConnectResult } from '@carillon/protocol/proxy';
import { createMetrics, createSilentLog, systemClock } from '@carillon/service-kit';
import { Client, credentials } from '@grpc/grpc-js';

import { composeAuthPolicy } from '../compose.ts';
import { noStream } from '../decision/backed-stream.ts';
import { grpcAnswers, startGrpcFixture } from '../fixture/grpc-fixture.ts';
import { createPolicyMetrics } from '../metrics.ts';
import { PolicyServer } from './grpc-server.ts';

const CONNECTED: ConnectResult = { user: '42', info: new TextEncoder().encode('{"name":"Ann"}'), channels: ['news'] };
const ROUNDS = 3;

type Connect = (ask: Ask<ConnectRequest>) => Promise<Decision<ConnectResult>>;
type CreateGrpcPolicy = (options: object) => DecisionService;

async function runBackends(): Promise<void> {
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"result":{"user":"42","info":{"name":"Ann"},"channels":["news"]}}');
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  const grpc = await startGrpcFixture(grpcAnswers({ result: CONNECTED }));
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  process.stdout.write(`http://127.0.0.1:${port} ${grpc.target}\n`);
  process.stdin.resume().on('end', () => process.exit(0));
}

async function runBench([numConnects = 60_000, numInFlight = 64]: readonly number[]): Promise<void> {
  const backends = spawn(process.execPath, ['--conditions=development', import.meta.filename, 'backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(backends.stdout, 'data');
  const [httpUrl = '', grpcTarget = ''] = String(line).trim().split(' ');
  const ways = [await instantAnswers(), await proxied('HTTP', httpUrl), await proxied('gRPC', grpcTarget)].flat();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { name, connect } of ways)
      await measure(`${name}, round ${round}`, connect, { numConnects, numInFlight });
  }
  backends.kill();
  process.exit(0);
}

interface Way {
  readonly name: string;
  readonly connect: Connect;
}

/** The hop alone: decisions come at once. */
async function instantAnswers(): Promise<Way[]> {
  const decision: Decision<ConnectResult> = { kind: 'result', result: CONNECTED };
  const { decisions } = composeAuthPolicy({ config: defaultConfig(), ...surroundings() });
  const server = new PolicyServer({
    decisions: { ...decisions, connect: async () => decision, subscribeStream: () => noStream('not here') },
    port: 0,
    address: '127.0.0.1',
    maxInFlightPerCaller: 4_096,
    log: createSilentLog(),
    metrics: createPolicyMetrics(createMetrics({ prefix: '', withProcessMetrics: false })),
  });
  const address = `127.0.0.1:${await server.start()}`;
  return [
    { name: 'hop alone, unary', connect: unaryConnect(address) },
    { name: 'hop alone, stream', connect: await streamConnect(address) },
  ];
}

/** Asking a backend, in this process and over the hop. */
async function proxied(backend: string, endpoint: string): Promise<Way[]> {
  const base = defaultConfig();
  const connect = { ...base.client.proxy.connect, enabled: true, endpoint, httpHeaders: ['Cookie'] };
  const config = {
    ...base,
    client: { ...base.client, proxy: { ...base.client.proxy, connect } },
    authPolicy: { ...base.authPolicy, port: 0 },
    httpServer: { ...base.httpServer, port: 0, address: '127.0.0.1' },
  };
  const policy = composeAuthPolicy({ config, ...surroundings() });
  const { grpcPort } = await policy.start();
  return [
    { name: `${backend} backend, no hop`, connect: (ask) => policy.decisions.connect(ask) },
    { name: `${backend} backend, stream`, connect: await streamConnect(`127.0.0.1:${grpcPort}`) },
  ];
}

function surroundings() {
  return {
    log: createSilentLog(),
    clock: systemClock,
    metrics: createMetrics({ prefix: '', withProcessMetrics: false }),
  };
}

function unaryConnect(address: string): Connect {
  const client = new Client(address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = policyMethods.connect;
  return (ask) =>
    new Promise((resolve, reject) => {
      const question = toWireQuestion(ask, 3_000);
      const options = { deadline: Date.now() + 3_000 };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, question, options, (error, reply) =>
        error === null ? resolve(fromWireDecision(reply)) : reject(error),
      );
    });
}

/** The gateway's own client. Not imported by name: services know each other on the wire only. */
async function streamConnect(address: string): Promise<Connect> {
  const url = new URL('../../../gateway/src/policy/grpc-policy.ts', import.meta.url);
  const { createGrpcPolicy }: { createGrpcPolicy: CreateGrpcPolicy } = await import(url.href);
  const policy = createGrpcPolicy({ addresses: [address], maxInFlight: 4_096, deadlineMs: 3_000, ...surroundings() });
  return (ask) => policy.connect(ask);
}

const ASK: Ask<ConnectRequest> = {
  message: { client: '9336a229-2f3c-4f3c-9a9c-0a5a5c4f3c9a', transport: 'websocket', protocol: 'json' },
  proxyName: 'default',
  origin: { headers: new Map([['cookie', ['session=0123456789abcdef0123456789abcdef']]]), emulatedHeaders: {} },
};

async function measure(
  name: string,
  connect: Connect,
  { numConnects, numInFlight }: { readonly numConnects: number; readonly numInFlight: number },
): Promise<void> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let remaining = numConnects;
  let failures = 0;
  const ask = async (): Promise<void> => {
    while (remaining-- > 0) {
      const decision = await connect(ASK);
      if (decision.kind !== 'result') failures += 1;
    }
  };
  await Promise.all(Array.from({ length: numInFlight }, ask));
  const { user, system } = process.cpuUsage(cpuBefore);
  const perConnectUs = (user + system) / numConnects;
  const perSecond = (numConnects / (performance.now() - startedAt)) * 1_000;
  const trouble = failures === 0 ? '' : `, ${failures} failed`;
  process.stdout.write(
    `${name.padEnd(32)} ${perConnectUs.toFixed(1).padStart(6)} µs CPU, ${perSecond.toFixed(0).padStart(6)}/s${trouble}\n`,
  );
}

if (process.argv[2] === 'backend') await runBackends();
else await runBench(process.argv.slice(2).map(Number));
