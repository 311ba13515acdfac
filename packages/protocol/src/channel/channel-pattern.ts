/** Whether a channel name matches. */
export type ChannelMatcher = (channel: string) => boolean;

/**
 * A piece of the pattern: where in a name it ends if it begins at one of these places. Places are in ascending order. All are
 * followed at once, so the time is bounded by the product of the two lengths; a regular expression has no such bound.
 */
type Step = (name: string, starts: readonly number[]) => readonly number[];

/** Lists within lists deeper than this make a pattern malformed. */
const MAX_OPEN_LISTS = 100;

/**
 * Compiles the glob of the `channels` method (server-api §7.12): `*` and `**` any run, `?` one character, `[abc]`, `[a-z]`,
 * `[!a]`, `{a,b}` alternatives, `\\` escapes. Empty matches everything; undefined when the pattern is malformed.
 * compat: an alternative list that is never closed is accepted and matches nothing.
 */
export function compileChannelPattern(pattern: string): ChannelMatcher | undefined {
  if (pattern === '') return () => true;
  const characters = Array.from(pattern);
  const lists = new OpenLists();
  for (let index = 0; index < characters.length; index++) {
    if (lists.take(characters[index] ?? '')) continue;
    const part = partAt(characters, index);
    if (part === undefined || lists.depth > MAX_OPEN_LISTS) return undefined;
    lists.add(part.step);
    index = part.end;
  }
  const steps = lists.whole();
  if (steps === undefined) return () => false;
  return (channel) => follow(steps, channel, [0]).includes(channel.length);
}

/** The lists of alternatives that are being read, the whole pattern being the outermost with one alternative. */
class OpenLists {
  readonly #enclosing: { readonly done: Step[][]; readonly steps: Step[] }[] = [];
  #done: Step[][] = [];
  #steps: Step[] = [];

  get depth(): number {
    return this.#enclosing.length;
  }

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Whether the character opens a list, closes one, or goes on to the next alternative of one. */
  take(character: string): boolean {
    if (character === '{') {
      this.#enclosing.push({ done: this.#done, steps: this.#steps });
      this.#done = [];
      this.#steps = [];
      return true;
    }
    if (this.depth === 0 || (character !== ',' && character !== '}')) return false;
    this.#done.push(this.#steps);
    this.#steps = [];
    if (character === '}') this.#close();
    return true;
  }

  #close(): void {
    const list = anyOf(this.#done);
    const { done, steps } = this.#enclosing.pop() ?? { done: [], steps: [] };
    steps.push(list);
    this.#done = done;
    this.#steps = steps;
  }

  /** The steps of the whole pattern; undefined while a list is open. */
  whole(): readonly Step[] | undefined {
    return this.depth === 0 ? this.#steps : undefined;
  }
}

function follow(steps: readonly Step[], name: string, starts: readonly number[]): readonly number[] {
  let places = starts;
  for (const step of steps) {
    if (places.length === 0) return places;
    places = step(name, places);
  }
  return places;
}

function anyOf(alternatives: readonly (readonly Step[])[]): Step {
  return (name, starts) => {
    const ends = new Set(alternatives.flatMap((steps) => follow(steps, name, starts)));
    return [...ends].toSorted((a, b) => a - b);
  };
}

/** Any run of characters, none included. */
const anyRun: Step = (name, [first = 0]) => {
  const ends: number[] = [];
  for (let end = first; end <= name.length; end += widthAt(name, end)) ends.push(end);
  return ends;
};

function characterThat(fits: (character: string) => boolean): Step {
  return (name, starts) => {
    const ends: number[] = [];
    for (const start of starts) {
      const end = start + widthAt(name, start);
      if (end <= name.length && fits(name.slice(start, end))) ends.push(end);
    }
    return ends;
  };
}

function widthAt(name: string, index: number): number {
  return (name.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}

/** A step, and the index of the last character of the pattern that belongs to it. */
interface Part {
  readonly step: Step;
  readonly end: number;
}

function partAt(characters: readonly string[], index: number): Part | undefined {
  const character = characters[index] ?? '';
  if (character === '*') return { step: anyRun, end: index };
  if (character === '?') return { step: characterThat(() => true), end: index };
  if (character === '[') return characterClass(characters, index);
  if (character !== '\\') return plainText(characters, index);
  const escaped = characters[index + 1];
  // compat: a backslash that escapes nothing is nothing.
  if (escaped === undefined) return { step: (_name, starts) => starts, end: index };
  return { step: characterThat((found) => found === escaped), end: index + 1 };
}

const SPECIAL = new Set('*?[{},\\');

/** The character and the plain ones after it. */
function plainText(characters: readonly string[], start: number): Part {
  let text = characters[start] ?? '';
  let end = start;
  for (let next = characters[end + 1]; next !== undefined && !SPECIAL.has(next); next = characters[end + 1]) {
    text += next;
    end += 1;
  }
  const step: Step = (name, starts) =>
    starts.filter((place) => name.startsWith(text, place)).map((place) => place + text.length);
  return { step, end };
}

/**
 * The class that opens at `start`: one range, or characters of which each stands for itself. Undefined when it never closes,
 * is empty, or holds a range that runs backwards or is not all that it holds (compat).
 */
function characterClass(characters: readonly string[], start: number): Part | undefined {
  const isNegated = characters[start + 1] === '!';
  const first = isNegated ? start + 2 : start + 1;
  const found = characters[first + 1] === '-' ? range(characters, first) : characterList(characters, first);
  return found && { step: characterThat((character) => found.has(character) !== isNegated), end: found.end };
}

interface CharacterSet {
  readonly has: (character: string) => boolean;
  readonly end: number;
}

function range(characters: readonly string[], first: number): CharacterSet | undefined {
  const [from, to] = [characters[first]?.codePointAt(0) ?? 0, characters[first + 2]?.codePointAt(0)];
  if (to === undefined || characters[first + 3] !== ']' || to < from) return undefined;
  const has = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return code >= from && code <= to;
  };
  return { has, end: first + 3 };
}

function characterList(characters: readonly string[], first: number): CharacterSet | undefined {
  const listed = new Set<string>();
  for (let index = first; index < characters.length; index++) {
    if (characters[index] === ']') {
      return listed.size === 0 ? undefined : { has: (character) => listed.has(character), end: index };
    }
    if (characters[index] === '\\') index += 1;
    const character = characters[index];
    if (character !== undefined) listed.add(character);
  }
  return undefined;
}
