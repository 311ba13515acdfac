// Answers /metrics with what the monitoring ports of the NATS servers named on the command line say. Flags are those of
// prometheus-nats-exporter and change nothing: this is -varz -jsz=streams -use_internal_server_name.
import { createServer } from 'node:http';

const PORT = 7777;
const TIMEOUT_MS = 3000;
const servers = process.argv.slice(2).filter((argument) => argument.startsWith('http'));

async function read(url) {
  return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).json();
}

function sample(name, labels, value) {
  const text = Object.entries(labels).map(([label, of]) => `${label}=${JSON.stringify(String(of ?? ''))}`);
  return `${name}{${text.join(',')}} ${value}`;
}

async function linesOf(url) {
  const [varz, jsz] = await Promise.all([read(`${url}/varz`), read(`${url}/jsz?streams=true`)]);
  const lines = Object.entries(varz)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => sample(`gnatsd_varz_${name}`, { server_id: varz.server_name }, value));
  const { config = {}, meta_cluster: meta } = jsz;
  const server = {
    server_id: varz.server_name,
    server_name: varz.server_name,
    cluster: meta?.name,
    domain: config.domain,
    meta_leader: meta?.leader,
    is_meta_leader: meta === undefined || meta.leader === varz.server_name,
  };
  const ofServer = {
    total_streams: jsz.streams,
    total_messages: jsz.messages,
    total_message_bytes: jsz.bytes,
    max_memory: config.max_memory,
    max_storage: config.max_storage,
  };
  for (const [name, value] of Object.entries(ofServer))
    lines.push(sample(`jetstream_server_${name}`, server, value ?? 0));
  for (const account of jsz.account_details ?? []) {
    for (const { name, cluster, state } of account.stream_detail ?? []) {
      const labels = {
        ...server,
        account: account.name,
        account_id: account.id,
        stream_name: name,
        stream_leader: cluster?.leader,
        is_stream_leader: cluster?.leader === undefined || cluster.leader === varz.server_name,
      };
      lines.push(sample('jetstream_stream_total_messages', labels, state.messages));
      lines.push(sample('jetstream_stream_total_bytes', labels, state.bytes));
    }
  }
  return lines;
}

createServer((_request, response) => {
  const answers = Promise.allSettled(servers.map(linesOf));
  void answers.then((all) => {
    const lines = all.flatMap(({ value }) => value ?? []);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${lines.join('\n')}\n`);
  });
}).listen(PORT);
process.on('SIGTERM', () => process.exit(0));
