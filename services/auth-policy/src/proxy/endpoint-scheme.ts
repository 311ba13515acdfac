/** `http://` and `https://` select HTTP, everything else is a gRPC target (proxy.md §1). */
export function isHttpEndpoint(endpoint: string): boolean {
  return endpoint.startsWith('http://') || endpoint.startsWith('https://');
}
