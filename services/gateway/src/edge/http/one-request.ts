import { ROUTE_ADDERS } from '@carillon/service-kit';
import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';

/**
 * The application, but each plain answer ends its connection. uWebSockets.js takes a PROXY protocol header before every
 * request of a connection, so on one that goes on, the client could put its own before the second.
 */
export function answeringOnce(app: TemplatedApp): TemplatedApp {
  return new Proxy(app, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!ROUTE_ADDERS.has(name)) return member.bind(target);
      return (pattern: string, handler: unknown): unknown => Reflect.apply(member, target, [pattern, closing(handler)]);
    },
  });
}

/** A handler, or the behaviour of a WebSocket, whose upgrade requests may be refused. */
function closing(handler: unknown): unknown {
  if (typeof handler === 'function') {
    return (res: HttpResponse, ...rest: unknown[]): unknown =>
      Reflect.apply(handler, undefined, [endLast(res), ...rest]);
  }
  if (typeof handler !== 'object' || handler === null || !('upgrade' in handler)) return handler;
  return { ...handler, upgrade: closing(handler.upgrade) };
}

/**
 * In a turn of its own, so that uWebSockets.js finds this request unanswered when the next one came in the same packet; then
 * it drops the connection.
 */
function endLast(res: HttpResponse): HttpResponse {
  const end = res.end.bind(res);
  const endWithoutBody = res.endWithoutBody.bind(res);
  const later = (finish: () => void): HttpResponse => {
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    setImmediate(() => {
      if (!isGone) res.cork(finish);
    });
    return res;
  };
  res.end = (body) => later(() => void end(body, true));
  // Without a length uWebSockets.js takes any number for one, and waits for as many bytes.
  res.endWithoutBody = () => later(() => void endWithoutBody(0, true));
  return res;
}
