/** A configured prefix as a route of uWebSockets.js: with one leading slash, without a trailing one. */
export function routePattern(prefix: string): string {
  const trimmed = prefix.replace(/^\/+/, '').replace(/\/+$/, '');
  return `/${trimmed}`;
}
