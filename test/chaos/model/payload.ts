/** A payload that is known by its serial and by its length. */
export function payloadOf(serial: string, padChars: number): string {
  return `{"n":"${serial}","pad":"${'x'.repeat(padChars)}"}`;
}

/** Serial of a payload; the payload itself if it is none of ours. */
export function serialOf(text: string): string {
  const end = text.indexOf('"', 6);
  return text.startsWith('{"n":"') && end > 0 ? text.slice(6, end) : text;
}
