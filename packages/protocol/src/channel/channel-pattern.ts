/** Whether a channel name matches. */
export type ChannelMatcher = (channel: string) => boolean;

/**
 * Compiles the glob of the `channels` method (server-api §7.12): `*` and `**` any run, `?` one character, `[abc]`, `[a-z]`,
 * `[!a]`, `{a,b}` alternatives, `\\` escapes. Empty matches everything; undefined when the pattern is malformed.
 * compat: an alternative list that is never closed is accepted and matches nothing.
 */
export function compileChannelPattern(pattern: string): ChannelMatcher | undefined {
  if (pattern === '') return () => true;
  const characters = Array.from(pattern);
  let source = '';
  let openLists = 0;
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    const part = character === '[' ? characterClass(characters, index) : simplePart(characters, index, openLists);
    if (part === undefined) return undefined;
    source += part.source;
    index = part.end;
    if (character === '{') openLists += 1;
    else if (character === '}' && openLists > 0) openLists -= 1;
  }
  if (openLists > 0) return () => false;
  const regex = new RegExp(`^(?:${source})$`, 'u');
  return (channel) => regex.test(channel);
}

/** A piece of the pattern as regular expression, and the index of its last character. */
interface Part {
  readonly source: string;
  readonly end: number;
}

function simplePart(characters: readonly string[], index: number, openLists: number): Part | undefined {
  const character = characters[index] ?? '';
  switch (character) {
    case '*':
      return { source: characters[index - 1] === '*' ? '' : '[^]*', end: index };
    case '?':
      return { source: '[^]', end: index };
    case '{':
      return { source: '(?:', end: index };
    case '\\': {
      const escaped = characters[index + 1];
      return escaped === undefined ? undefined : { source: quote(escaped), end: index + 1 };
    }
    case ',':
      return { source: openLists > 0 ? '|' : ',', end: index };
    case '}':
      return { source: openLists > 0 ? ')' : quote(character), end: index };
    default:
      return { source: quote(character), end: index };
  }
}

/** The class that opens at `start`; undefined when it never closes, is empty, or holds a range that runs backwards. */
function characterClass(characters: readonly string[], start: number): Part | undefined {
  let index = start + 1;
  const isNegated = characters[index] === '!' || characters[index] === '^';
  if (isNegated) index += 1;
  let body = '';
  for (let first = true; index < characters.length; index++, first = false) {
    const from = characters[index] ?? '';
    if (from === ']' && !first) return { source: `[${isNegated ? '^' : ''}${body}]`, end: index };
    const to = characters[index + 2];
    if (characters[index + 1] === '-' && to !== undefined && to !== ']') {
      if (from > to) return undefined;
      body += `${quoteInClass(from)}-${quoteInClass(to)}`;
      index += 2;
    } else {
      body += quoteInClass(from);
    }
  }
  return undefined;
}

function quote(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function quoteInClass(character: string): string {
  return /[\]\\^[-]/.test(character) ? `\\${character}` : character;
}
