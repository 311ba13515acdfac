const TAGS = ['0', '1', '2', '3'] as const;

/** What publications of backends are tagged with, under the key `k`. Those of clients have no tags. */
export type Tag = (typeof TAGS)[number] | '';

/** The tag of the n-th publication. */
export function tagOfNumber(number: number): Tag {
  return TAGS[number % TAGS.length] ?? '';
}

/** A payload that is known by its serial, its tag and its length. */
export function payloadOf(serial: string, padChars: number, tag: Tag = ''): string {
  return `{"n":"${serial}","k":"${tag}","pad":"${'x'.repeat(padChars)}"}`;
}

/** Serial of a payload; the payload itself if it is none of ours. */
export function serialOf(text: string): string {
  const end = text.indexOf('"', 6);
  return text.startsWith('{"n":"') && end > 0 ? text.slice(6, end) : text;
}

/** Tag of a payload; empty for those of clients. */
export function tagOf(text: string): string {
  return /^\{"n":"[^"]*","k":"(\d?)"/.exec(text)?.[1] ?? '';
}

/** Whether a payload is one of ours to the last character. */
export function isWhole(text: string): boolean {
  return /^\{"n":"[^"]*","k":"\d?","pad":"x*"\}$/.test(text);
}
