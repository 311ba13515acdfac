import type { BackendAnswer, BackendCall } from '../../harness/backend.ts';

const SESSION_OF_USER = /^of-(\d+)$/;

/** A backend that knows its users by a session in the connect data; `grant` says what else its answer holds. */
export function answerConnectBySession(
  grant: (user: string) => Readonly<Record<string, unknown>>,
): (call: BackendCall) => BackendAnswer {
  return ({ path, body }) => {
    if (path !== '/connect') return { status: 404 };
    const session = sessionIn(body['data']);
    if (session === 'nobody') return {};
    const user = SESSION_OF_USER.exec(session)?.[1];
    if (user === undefined) return { disconnect: { code: 4501, reason: 'unknown session' } };
    return { result: { user, ...grant(user) } };
  };
}

function sessionIn(data: unknown): string {
  return typeof data === 'object' && data !== null && 'session' in data ? String(data.session) : '';
}
