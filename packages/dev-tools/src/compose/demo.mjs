// The demo as a browser meets it: the page, its script, a token, a connection under the same address.
import { expectReceived, expectSubscribed, openClient } from './clients.mjs';
import { eventually } from './project.mjs';

const READY_WITHIN_MS = 15_000;

export async function expectDemo(port) {
  const page = await get(port, '/');
  const channel = /const channel = "([^"]+)"/.exec(page)?.[1];
  const script = /<script src="([^"]+)"/.exec(page)?.[1];
  const tokenPath = /fetch\('([^']+)'\)/.exec(page)?.[1];
  if (!channel || !script || !tokenPath) throw new Error(`/ is not the demo page: ${page.slice(0, 200)}`);
  if (!(await get(port, script)).includes('Centrifuge')) throw new Error(`${script} is not the client`);
  const getToken = async () => JSON.parse(await get(port, tokenPath)).token;
  const visitors = [0, 1].map((n) => openClient(port, n, channel, { getToken }));
  try {
    await eventually(() => expectSubscribed(visitors), READY_WITHIN_MS);
    await visitors[0].subscription.publish({ text: 'hello from a visitor' });
    await expectReceived(visitors, 'hello from a visitor');
  } finally {
    for (const { client } of visitors) client.disconnect();
  }
}

async function get(port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.text();
}
