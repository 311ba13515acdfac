/**
 * Why a parser refused a text, without the text: parsers like to quote what they stumble over, and that may be a secret.
 */
export function parseReason(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be parsed';
  const [first = ''] = error.message.split('\n');
  // JSON.parse ends with the surroundings of the token, YAML quotes the token.
  const bare = first.replace(/,? (?:\.\.\.)?".*$/, '').replace(/:$/, '');
  const line = 'line' in error && typeof error.line === 'number' ? ` at line ${error.line}` : '';
  return `${bare}${line}`;
}
