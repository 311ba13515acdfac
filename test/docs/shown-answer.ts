// What a page shows and what a server says, made comparable: values that differ from run to run become their kind.

const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>'],
  [/\bey[\w-]+\.ey[\w-]+\.[\w-]+/g, '<token>'],
  [/"epoch":"[A-Za-z]{8}"/g, '"epoch":"<epoch>"'],
  [/epoch: '[A-Za-z]{8}'/g, "epoch: '<epoch>'"],
  [/"(uptime|issued_at|connected_at_ms|ping_pong_latency_ms|active|online|ttl)":-?\d+/g, '"$1":<number>'],
  [/"name":"[^"]*_\d+"/g, '"name":"<node>"'],
  [/(localhost|127\.0\.0\.1):\d+/g, '<address>'],
  [/\bDate: .*/g, 'Date: <date>'],
];

/** A JSON text without white space, its members in the order in which they are; other texts without trailing space. */
export function comparable(language: string, text: string): string {
  const plain = language === 'json' ? JSON.stringify(JSON.parse(text)) : text.replaceAll(/[ \t\r]+$/gm, '').trim();
  return VOLATILE.reduce((result, [pattern, kind]) => result.replaceAll(pattern, kind), plain);
}
