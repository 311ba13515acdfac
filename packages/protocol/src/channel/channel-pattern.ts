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

function simplePart(characters: readonly string[], index: number, openLists: number): Part {
  const character = characters[index] ?? '';
  switch (character) {
    case '*':
      return { source: characters[index - 1] === '*' ? '' : '[^]*', end: index };
    case '?':
      return { source: '[^]', end: index };
    case '{':
      return { source: '(?:', end: index };
    case '\\': {
      // compat: one that escapes nothing is nothing.
      const escaped = characters[index + 1] ?? '';
      return { source: quote(escaped), end: index + 1 };
    }
    case ',':
      return { source: openLists > 0 ? '|' : ',', end: index };
    case '}':
      return { source: openLists > 0 ? ')' : quote(character), end: index };
    default:
      return { source: quote(character), end: index };
  }
}

/**
 * The class that opens at `start`: one range, or characters of which each stands for itself. Undefined when it never closes,
 * is empty, or holds a range that runs backwards or is not all that it holds (compat).
 */
function characterClass(characters: readonly string[], start: number): Part | undefined {
  const isNegated = characters[start + 1] === '!';
  const first = isNegated ? start + 2 : start + 1;
  const part = characters[first + 1] === '-' ? range(characters, first) : characterList(characters, first);
  return part && { source: `[${isNegated ? '^' : ''}${part.source}]`, end: part.end };
}

function range(characters: readonly string[], first: number): Part | undefined {
  const [from = '', , to, close] = characters.slice(first, first + 4);
  if (to === undefined || close !== ']' || to < from) return undefined;
  return { source: `${quoteInClass(from)}-${quoteInClass(to)}`, end: first + 3 };
}

function characterList(characters: readonly string[], first: number): Part | undefined {
  let source = '';
  for (let index = first; index < characters.length; index++) {
    if (characters[index] === ']') return source === '' ? undefined : { source, end: index };
    if (characters[index] === '\\') index += 1;
    source += quoteInClass(characters[index] ?? '');
  }
  return undefined;
}

function quote(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function quoteInClass(character: string): string {
  return /[\]\\^[-]/.test(character) ? `\\${character}` : character;
}
