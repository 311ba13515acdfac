/** Whether a channel name matches. */
export type ChannelMatcher = (channel: string) => boolean;

/**
 * Compiles the glob of the `channels` method (server-api §7.12): `*` and `**` any run, `?` one character, `[abc]`, `[a-z]`,
 * `[!a]`, `{a,b}` alternatives, `\` escapes. Empty matches everything; undefined when the pattern is malformed.
 * compat: an alternative list that is never closed is accepted and matches nothing.
 */
export function compileChannelPattern(pattern: string): ChannelMatcher | undefined {
  if (pattern === '') return () => true;
  let source = '';
  let openLists = 0;
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    switch (character) {
      case '*':
        if (characters[index - 1] !== '*') source += '[^]*';
        break;
      case '?':
        source += '[^]';
        break;
      case '{':
        openLists += 1;
        source += '(?:';
        break;
      case '[': {
        const list = characterClass(characters, index);
        if (list === undefined) return undefined;
        source += list.source;
        index = list.end;
        break;
      }
      case '\\':
        index += 1;
        if (index >= characters.length) return undefined;
        source += quote(characters[index] ?? '');
        break;
      default:
        if (openLists > 0 && (character === ',' || character === '}')) {
          source += character === ',' ? '|' : ')';
          if (character === '}') openLists -= 1;
        } else {
          source += quote(character);
        }
    }
  }
  if (openLists > 0) return () => false;
  const regex = new RegExp(`^(?:${source})$`, 'u');
  return (channel) => regex.test(channel);
}

/** The class that opens at `start`; undefined when it never closes, is empty, or holds a range that runs backwards. */
function characterClass(characters: readonly string[], start: number): { source: string; end: number } | undefined {
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
