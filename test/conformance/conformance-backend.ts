import { NO_ANSWER, type BackendAnswer, type BackendCall } from '../harness/backend.ts';

/** The application of the conformance tests. Names in requests ask for the answers they get. */
export function answerAsBackend({ path, body }: BackendCall): BackendAnswer {
  switch (path) {
    case '/subscribe':
      return answerSubscribe(String(body['channel']));
    case '/publish':
      return answerPublish(String(body['channel']), body['data']);
    case '/rpc':
      return answerRpc(String(body['method']), body['data']);
    case '/connect':
      return answerConnect(body['data']);
    case '/sub_refresh':
      return answerSubRefresh(String(body['channel']));
    case '/refresh':
      return { result: { expire_at: Math.floor(Date.now() / 1000) + 60 } };
    default:
      return { status: 404 };
  }
}

const DENIALS: readonly (readonly [string, BackendAnswer])[] = [
  ['custom', { error: { code: 1234, message: 'not you', temporary: true } }],
  ['codeless', { error: {} }],
  ['deny', { error: { code: 103, message: 'permission denied' } }],
  ['bye', { disconnect: { code: 4501, reason: 'bye' } }],
  ['broken', { status: 500 }],
  ['garbage', { status: 200, text: '{"result":' }],
  ['silent', NO_ANSWER],
];

function denialFor(name: string): BackendAnswer {
  return DENIALS.find(([word]) => name.includes(word))?.[1];
}

function answerSubscribe(channel: string): BackendAnswer {
  return denialFor(channel) ?? { result: { info: { from: 'backend' }, data: { hello: channel } } };
}

function answerPublish(channel: string, data: unknown): BackendAnswer {
  return denialFor(channel) ?? { result: channel.includes('rewrite') ? { data: { rewritten: data } } : {} };
}

function answerSubRefresh(channel: string): BackendAnswer {
  if (!channel.includes('extended')) return denialFor(channel) ?? { result: { expired: true } };
  return { result: { expire_at: Math.floor(Date.now() / 1000) + 100, info: { of: 'backend' } } };
}

function answerRpc(method: string, data: unknown): BackendAnswer {
  return denialFor(method) ?? { result: { data: { method, echo: data } } };
}

function answerConnect(data: unknown): BackendAnswer {
  const wish = typeof data === 'string' ? data : '';
  if (wish === 'nobody') return {};
  if (wish === 'malformed') return { result: { user: 'x', b64info: '%', channels: ['nope:x'] } };
  if (wish === 'nowhere') return { result: { user: 'x', channels: ['nope:x'], subs: { 'nope:y': { b64data: '%' } } } };
  return denialFor(wish) ?? { result: { user: wish === '' ? 'proxied' : wish, data: { welcome: true } } };
}
