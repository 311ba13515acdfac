import { optionTable } from '../config.ts';
import { type Field, fileKey, type FieldTable, type LeafField } from '../option/field.ts';
import { formatGoDuration } from '../read/go-duration.ts';
import { sharedGroups } from './shared-groups.ts';

type Schema = { [keyword: string]: unknown };

const DURATION = String.raw`^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$`;

const SHARED = sharedGroups(optionTable);

/** The JSON Schema (2020-12) of configuration files, for editors. Older names are left out on purpose. */
export function configJsonSchema(): Schema {
  const definitions = [...SHARED].map(([fields, name]) => [name, groupSchema(fields)] as const);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Carillon configuration',
    ...groupSchema(optionTable),
    properties: { $schema: { type: 'string' }, ...propertiesOf(optionTable) },
    $defs: Object.fromEntries(definitions),
  };
}

function propertiesOf(fields: FieldTable): Schema {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [fileKey(name, field), fieldSchema(field)]));
}

function groupSchema(fields: FieldTable): Schema {
  return { type: 'object', additionalProperties: false, properties: propertiesOf(fields) };
}

function referenceTo(fields: FieldTable): Schema {
  const shared = SHARED.get(fields);
  return shared === undefined ? groupSchema(fields) : { $ref: `#/$defs/${shared}` };
}

function fieldSchema(field: Field): Schema {
  const description = field.doc;
  if (field.kind === 'group') return { description, ...referenceTo(field.fields) };
  if (field.kind === 'items') {
    const item = referenceTo(field.fields);
    return { description, type: 'array', items: field.named ? { ...item, required: ['name'] } : item };
  }
  return { description, ...leafSchema(field), ...defaultOf(field) };
}

function leafSchema(field: LeafField): Schema {
  switch (field.kind) {
    case 'string':
      return field.oneOf === undefined ? { type: 'string' } : { type: 'string', enum: field.oneOf };
    case 'bool':
      return { type: 'boolean' };
    case 'int': {
      const limits = {
        ...(field.min === undefined ? {} : { minimum: field.min }),
        ...(field.max === undefined ? {} : { maximum: field.max }),
      };
      const number = { type: 'integer', ...limits };
      return field.words === undefined ? number : { anyOf: [number, { enum: Object.keys(field.words) }] };
    }
    case 'duration':
      return { type: ['string', 'integer'], pattern: DURATION };
    case 'list':
      return {
        type: ['array', 'string'],
        items: field.oneOf === undefined ? { type: 'string' } : { enum: field.oneOf },
      };
    case 'map':
      return {
        anyOf: [
          { type: 'object', additionalProperties: { type: 'string' } },
          {
            type: 'array',
            items: {
              type: 'object',
              properties: { key: { type: 'string' }, value: { type: 'string' } },
              required: ['key'],
            },
          },
        ],
      };
  }
}

function defaultOf(field: LeafField): Schema {
  if (field.kind === 'duration') return { default: formatGoDuration(field.default) };
  return { default: field.default };
}
