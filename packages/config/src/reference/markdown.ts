import { hasNoEffect } from '../check/not-built-yet.ts';
import { optionTable } from '../config.ts';
import { type Field, fileKey, type FieldTable, isLeaf, type LeafField } from '../option/field.ts';
import { ENV_PREFIXES, envPart } from '../read/env-names.ts';
import { formatGoDuration } from '../read/go-duration.ts';
import { sharedGroups } from './shared-groups.ts';

const SHARED = sharedGroups(optionTable);
const TABLE_HEAD = '| Key | Type | Default | Meaning |\n|---|---|---|---|';

/** What part of the reference to print, and how deep its headings begin. */
export interface MarkdownOptions {
  /** A group at the top level; undefined prints all. */
  readonly section?: string | undefined;
  /** Added to the level of every heading. */
  readonly baseLevel?: number | undefined;
}

/** The reference of all options, or of one section, as Markdown; undefined if there is no such section. */
export function configReferenceMarkdown(options: MarkdownOptions = {}): string | undefined {
  const level = '#'.repeat(Math.min(6, 2 + (options.baseLevel ?? 0)));
  const sections = Object.entries(optionTable).map(([name, field]) => [fileKey(name, field), field] as const);
  const wanted = sections.filter(([key]) => options.section === undefined || key === options.section);
  if (wanted.length === 0) return undefined;
  const text = wanted.map(([key, field]) => section(key, field, level)).join('\n');
  const groups = [...SHARED].map(([fields, name]) => [name, sharedSection(name, fields, level)] as const);
  const used = groups.filter(([name]) => options.section === undefined || text.includes(`| ${name} |`));
  return [text, ...used.map(([, group]) => group)].join('\n');
}

/** The reference page of the documentation. */
export function configurationPage(): string {
  return `${INTRODUCTION}\n${configReferenceMarkdown() ?? ''}`;
}

function section(key: string, field: Field, level: string): string {
  const rows = isLeaf(field) ? [row(key, field)] : rowsOf(field.fields, itemPath(key, field));
  return `${level} \`${key}\`\n\n${field.doc}\n\n${TABLE_HEAD}\n${rows.join('\n')}\n`;
}

/** A group that several options have: rows without the path before it. */
function sharedSection(name: string, fields: FieldTable, level: string): string {
  const rows = rowsOf(fields, '').map((text) => text.replace('| `.', '| `'));
  return `${level} Type: ${name}\n\n${TABLE_HEAD}\n${rows.join('\n')}\n`;
}

function itemPath(path: string, field: Field): string {
  return field.kind === 'items' ? `${path}[]` : path;
}

function rowsOf(fields: FieldTable, path: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const place = `${path}.${fileKey(name, field)}`;
    if (isLeaf(field)) return [row(place, field)];
    const shared = SHARED.get(field.fields);
    if (shared === undefined) return rowsOf(field.fields, itemPath(place, field));
    return [`| \`${itemPath(place, field)}.*\` | ${shared} | | ${field.doc} |`];
  });
}

const TYPES: Readonly<Record<LeafField['kind'], string>> = {
  string: 'text',
  bool: 'bool',
  int: 'number',
  duration: 'duration',
  list: 'list of text',
  map: 'map of text',
};

function row(path: string, field: LeafField): string {
  const doc = hasNoEffect(path) ? `${field.doc} **No effect.**` : field.doc;
  return `| \`${path}\` | ${TYPES[field.kind]} | ${defaultText(field)} | ${doc.replaceAll('|', '\\|')} |`;
}

function defaultText(field: LeafField): string {
  if (field.kind === 'duration') return field.default === 0 ? '' : `\`${formatGoDuration(field.default)}\``;
  if (field.kind === 'map' || field.default === '' || field.default === 0 || field.default === false) return '';
  return Array.isArray(field.default) && field.default.length === 0 ? '' : `\`${String(field.default)}\``;
}

const EXAMPLE = `${ENV_PREFIXES[1]}${['client', 'ping_interval'].map(envPart).join('_')}`;

const INTRODUCTION = `# Configuration

<!-- Generated from the option table of packages/config; a test compares the two. -->

Command-line flags win over environment variables, these over the file, the file over defaults. The file is JSON, YAML or
TOML by extension; keys are nested and not case-sensitive. A missing file is a warning. Unknown keys are warnings, and
errors for \`carillon checkconfig --strict\`. [configuration.schema.json](configuration.schema.json) helps editors.

| Topic | Rule |
|---|---|
| Environment | \`${ENV_PREFIXES[1]}\` or \`${ENV_PREFIXES[0]}\` and the path in upper case with \`_\`: \`client.ping_interval\` is \`${EXAMPLE}\`. An empty value counts as not set. With both prefixes given, the first one wins. A \`.env\` file is read too |
| Lists in variables | apart by spaces; lists of groups and maps as JSON |
| Items in variables | \`${ENV_PREFIXES[1]}CHANNEL_NAMESPACES_<NAME>_<OPTION>\` sets one option of an item that exists; likewise \`RPC_NAMESPACES\`, \`PROXIES\`, \`CONSUMERS\` |
| Durations | Go syntax with a unit (\`25s\`, \`1h30m\`). A bare number in a file is nanoseconds, with a warning |
| Zero | where the default is not zero, zero means the default |
| PEM values | PEM text, base64 of it, or a path |
| Maps of text | an object (keys become lower case) or a list of \`{key, value}\` (keys stay). Values may hold \`\${${ENV_PREFIXES[1]}VAR_NAME}\` |
| No effect | such options are accepted, so that an existing file loads; [wire-compatibility.md](wire-compatibility.md) says why, and a warning at start lists those that were set |
| Older names | flat names of versions 1 to 5 work; each one is a warning that tells the newer name. Bare numbers under them are seconds |
`;
