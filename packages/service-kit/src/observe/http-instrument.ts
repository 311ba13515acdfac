import type { CounterCell, Metrics } from '../metrics.ts';
import { ROUTE_ADDERS } from './route-adders.ts';

/** Of an application of uWebSockets.js, which this package does not know. */
interface RequestOfRoute {
  getMethod(): string;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Paths are those of routes; backends and browsers have no part in them. */
const MAX_LABEL_SETS = 512;

/**
 * Wraps applications of uWebSockets.js so that the routes which are added through the wrapper count their requests, by
 * path of the route, method and status of the answer (`prometheus.instrument_http_handlers`). A request that is given up
 * before its answer begins is not counted.
 */
export function createHttpInstrument(metrics: Metrics): <App extends object>(app: App) => App {
  const requests = metrics.counter({
    name: 'node_incoming_http_requests_total',
    help: 'HTTP requests by route',
    labels: ['path', 'method', 'status'],
  });
  const cells = new Map<string, CounterCell>();
  const count = (path: string, method: string, status: string): void => {
    const key = `${path} ${method} ${status}`;
    let cell = cells.get(key);
    if (cell === undefined) {
      if (cells.size >= MAX_LABEL_SETS) return;
      cells.set(key, (cell = requests.with({ path, method, status })));
    }
    cell.inc();
  };
  return (app) =>
    new Proxy(app, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (!ROUTE_ADDERS.has(name)) return member.bind(target);
        return (path: string, handler: unknown): unknown =>
          Reflect.apply(member, target, [path, counting(handler, (method, status) => count(path, method, status))]);
      },
    });
}

type Report = (method: string, status: string) => void;

/** A handler, or the behaviour of a WebSocket, whose upgrade requests are answered like others. */
function counting(handler: unknown, report: Report): unknown {
  if (typeof handler === 'function') {
    return (res: object, req: RequestOfRoute, ...rest: unknown[]): unknown => {
      // Nothing of the request can be read once the route has returned.
      const method = req.getMethod().toUpperCase();
      watch(res, (status) => report(METHODS.has(method) ? method : 'OTHER', status));
      return Reflect.apply(handler, undefined, [res, req, ...rest]);
    };
  }
  if (typeof handler !== 'object' || handler === null || !('upgrade' in handler)) return handler;
  return { ...handler, upgrade: counting(handler.upgrade, report) };
}

/** Reports the status once, when the answer is sent or begins to stream. */
function watch(res: object, report: (status: string) => void): void {
  let status = '200';
  let isReported = false;
  before(res, 'writeStatus', (text) => (status = String(text).slice(0, 3)));
  for (const name of ['write', 'end', 'endWithoutBody', 'tryEnd', 'upgrade']) {
    before(res, name, () => {
      if (!isReported) report(status);
      isReported = true;
    });
  }
  // Wrapped last, called first.
  before(res, 'upgrade', () => (status = '101'));
}

function before(res: object, name: string, act: (argument: unknown) => void): void {
  const original: unknown = Reflect.get(res, name);
  if (typeof original !== 'function') return;
  Reflect.set(res, name, (...values: unknown[]): unknown => {
    act(values[0]);
    return Reflect.apply(original, res, values);
  });
}
