/** The functions of a uWebSockets.js application that add a route: what wraps one must reach through all of them. */
export const ROUTE_ADDERS: ReadonlySet<PropertyKey> = new Set([
  'any',
  'get',
  'post',
  'options',
  'head',
  'put',
  'patch',
  'del',
  'ws',
]);
