/** A fenced block of a page. */
export interface Snippet {
  readonly language: string;
  /** The second word after the fence: what the block is for. */
  readonly role: string;
  readonly text: string;
  readonly line: number;
}

export interface Section {
  /** Of the `##` heading; empty before the first. */
  readonly title: string;
  readonly snippets: readonly Snippet[];
}

const FENCE = /^( *)```(\S+)(?: (\S+))?\n([\s\S]*?)^ *```$/gm;

/** The sections of a page with the blocks that have a role. */
export function sectionsOf(markdown: string): Section[] {
  let line = 1;
  return markdown.split(/^(?=## )/m).map((part) => {
    const start = line;
    line += part.split('\n').length - 1;
    const title = /^## (.*)$/m.exec(part)?.[1] ?? '';
    const snippets = [...part.matchAll(FENCE)].flatMap(
      ({ 1: indent = '', 2: language = '', 3: role, 4: text = '', index }) =>
        role === undefined
          ? []
          : [
              {
                language,
                role,
                text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
                line: start + part.slice(0, index).split('\n').length - 1,
              },
            ],
    );
    return { title, snippets };
  });
}
