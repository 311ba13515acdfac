// The composed cluster as a newcomer gets it: `docker compose up`, official clients and the server API through the one
// port, gateways that are added and killed under them, the demo page, Prometheus, three NATS servers. Needs a Docker
// engine with Compose; ends with `N passed, N failed`.
import { callApi, clientsByGateway, expectSubscribed, openClient, publishAndExpect } from './compose/clients.mjs';
import { expectDemo } from './compose/demo.mjs';
import { expectHardened, expectSmallImage } from './compose/image.mjs';
import { composeProject, eventually } from './compose/project.mjs';
import { expectTargets, firingAlerts, panelSeries, testAlertRules } from './compose/prometheus.mjs';
import { provideImage } from './compose/public-images.mjs';

const CLIENTS_PER_ROUND = 8;
const MAX_ROUNDS = 6;
const CHANNEL = 'compose-test';
const CHANNEL_WITH_HISTORY = 'chat:compose-test';
const BACK_WITHIN_MS = 15_000;
/** Nodes tell each other their counts every few seconds. */
const REGISTRY_WITHIN_MS = 12_000;
/** Prometheus looks for targets every five seconds and asks them every five. */
const SCRAPED_WITHIN_MS = 45_000;
/** An election of all shards of a killed NATS server. */
const ELECTED_WITHIN_MS = 40_000;
/** Even a scale of 0 would pull its image. */
const ALL_BUT_GRAFANA = ['front-door', 'gateway', 'api', 'auth-policy', 'demo', 'nats-metrics', 'prometheus'];

let passed = 0;
let failed = 0;
let running;

/** Runs a step that the later ones need: the first failure ends the run. */
async function step(name, work) {
  try {
    const said = await work();
    passed += 1;
    console.log(`ok ${name}${typeof said === 'string' ? `: ${said}` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}`);
    throw error;
  }
}

/** Runs steps against a project, which is gone afterwards. */
async function withProject(project, work) {
  running = project;
  const clients = [];
  try {
    await work(clients);
  } finally {
    for (const { client } of clients) client.disconnect();
    if (failed > 0) project.showLogs();
    project.down();
    running = undefined;
  }
}

async function testOneNats() {
  const hasGrafana = provideImage('grafana');
  const name = `carillon-test-${process.pid}`;
  const project = composeProject(name);
  const everything = composeProject(name, ['--profile', 'demo', '--profile', 'observability']);
  await withProject(everything, async (clients) => {
    await step('docker compose up --build --wait ends with everything healthy', () => project.up('--build'));
    const port = project.portOf('front-door', 8000);
    await step('the image is small', expectSmallImage);
    await step('no container of ours has rights that it does not need', () => {
      expectHardened(['gateway', 'api', 'auth-policy'].flatMap((service) => project.containersOf(service)));
    });
    await testClients(project, port, clients);
    await step('the profiles demo and observability join the running cluster, with --scale gateway=4', () =>
      everything.up('--scale', 'gateway=4', '--no-recreate', ...(hasGrafana ? [] : ALL_BUT_GRAFANA)),
    );
    await step('the demo page gets a token and a connection under the same address', async () => {
      expectHardened(everything.containersOf('demo'));
      await expectDemo(port);
    });
    await testScale(everything, port, clients);
    await testPrometheus(everything.portOf('prometheus', 9090));
    if (hasGrafana) await step('Grafana has the dashboards', () => expectGrafana(everything.portOf('grafana', 3000)));
    else console.log('   Grafana was not started: its image cannot be had here');
  });
}

async function testClients(project, port, clients) {
  await step('official clients connect through the port and end up on both gateways', () =>
    connectUntilOn(port, clients, 2),
  );
  await step('what the server API publishes through the port reaches all of them', async () => {
    await publishAndExpect(port, clients, CHANNEL, 'first');
  });
  await step(`after the kill of a gateway its clients are back within ${BACK_WITHIN_MS / 1000} s`, () =>
    killGateway(project, clients),
  );
  await step('the next publication reaches all of them', () => publishAndExpect(port, clients, CHANNEL, 'second'));
  await step('with one of the api processes killed the server API goes on', async () => {
    project.killOne('api');
    await eventually(() => publishAndExpect(port, clients, CHANNEL, 'third'), BACK_WITHIN_MS);
  });
}

async function testScale(project, port, clients) {
  await step('there are four gateways then, and clients come to each of them', async () => {
    const { length } = project.containersOf('gateway');
    if (length !== 4) throw new Error(`there are ${length} gateways`);
    await connectUntilOn(port, clients, 4);
  });
  await step('a publication reaches the clients of all of them', () =>
    publishAndExpect(port, clients, CHANNEL, 'fourth'),
  );
}

async function testPrometheus(port) {
  await step('each alert fires on what it is for, and not a step before', testAlertRules);
  await step('Prometheus scrapes every instance', () =>
    eventually(() => expectTargets(port, { gateway: 4, api: 2, 'auth-policy': 2, nats: 1 }), SCRAPED_WITHIN_MS),
  );
  await step('the alerts are evaluated and none fires', () =>
    eventually(async () => {
      const firing = await firingAlerts(port);
      if (firing.length > 0) throw new Error(`firing: ${firing}`);
    }, SCRAPED_WITHIN_MS),
  );
  await step('Prometheus can evaluate every panel of every dashboard', async () => {
    const rows = await panelSeries(port);
    const empty = rows.filter(({ series }) => series === 0).length;
    return `${rows.length} expressions, ${empty} of them without data so far`;
  });
}

async function expectGrafana(port) {
  const response = await fetch(`http://127.0.0.1:${port}/api/search?type=dash-db`);
  const found = (await response.json()).map(({ uid }) => uid).toSorted();
  if (found.join() !== 'carillon-api,carillon-gateway,carillon-log,carillon-overview')
    throw new Error(`it has ${found}`);
}

async function testThreeNats() {
  const args = ['--env-file', 'deploy/compose/nats3.env', '--profile', 'nats3', '--profile', 'demo'];
  const project = composeProject(`carillon-nats3-${process.pid}`, args);
  await withProject(project, async (clients) => {
    await step('three NATS servers instead of one, with the demo: everything healthy', () => project.up());
    const port = project.portOf('front-door', 8000);
    await step('publications with history reach official clients', async () => {
      for (let n = 0; n < CLIENTS_PER_ROUND; n += 1) clients.push(openClient(port, n, CHANNEL_WITH_HISTORY));
      await eventually(() => expectSubscribed(clients), BACK_WITHIN_MS);
      await publishAndExpect(port, clients, CHANNEL_WITH_HISTORY, 'first');
    });
    await step('the demo works there too', () => expectDemo(port));
    await step('with one of the three killed publications go on, and none is lost', async () => {
      project.killOne('nats-2');
      await eventually(() => publishAndExpect(port, clients, CHANNEL_WITH_HISTORY, 'second'), ELECTED_WITHIN_MS);
      const { publications } = await callApi(port, 'history', { channel: CHANNEL_WITH_HISTORY, limit: 10 });
      const texts = publications.map(({ data }) => data.text);
      if (!texts.includes('first') || !texts.includes('second')) throw new Error(`the history has ${texts}`);
    });
  });
}

/** Adds clients until as many gateways have some: which one takes a connection is up to the front door. */
async function connectUntilOn(port, clients, gateways) {
  for (let round = 1; ; round += 1) {
    for (let n = 0; n < CLIENTS_PER_ROUND; n += 1) clients.push(openClient(port, clients.length, CHANNEL));
    await eventually(() => expectSubscribed(clients), BACK_WITHIN_MS);
    try {
      return await eventually(async () => {
        const counts = (await clientsByGateway(port)).filter((count) => count > 0);
        const sum = counts.reduce((total, count) => total + count, 0);
        if (counts.length !== gateways || sum !== clients.length) {
          throw new Error(`${clients.length} clients are on gateways as ${counts}`);
        }
        return `${counts.join(', ')} clients`;
      }, REGISTRY_WITHIN_MS);
    } catch (error) {
      if (round === MAX_ROUNDS) throw error;
    }
  }
}

async function killGateway(project, clients) {
  for (const one of clients) one.lost = 0;
  project.killOne('gateway');
  const killedAt = performance.now();
  await eventually(() => {
    if (!clients.some(({ lost }) => lost > 0)) throw new Error('no client noticed');
    expectSubscribed(clients);
  }, BACK_WITHIN_MS);
  const moved = clients.filter(({ lost }) => lost > 0).length;
  if (moved === clients.length) throw new Error('clients of the other gateway lost their connection too');
  return `${moved} of ${clients.length} after ${Math.round(performance.now() - killedAt)} ms`;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    running?.down();
    process.exit(1);
  });
}

try {
  provideImage('front-door');
  provideImage('prometheus');
  provideImage('nats-metrics');
  await testOneNats();
  await testThreeNats();
} catch (error) {
  console.error(`compose-test: ${error.message}`);
  if (failed === 0) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
