export * from './channel-name.ts';
export * from './channel-options.ts';
export type { StreamPosition } from './stream-position.ts';
export {
  MAX_FILTER_DEPTH,
  canonicalFilterKey,
  compileFilter,
  validateFilter,
  type Tags,
  type TagsFilterNode,
  type TagsPredicate,
} from './tags-filter.ts';
export { applyDelta, createDelta, type DeltaOptions } from './fossil-delta.ts';
export { compileChannelPattern, type ChannelMatcher } from './channel-pattern.ts';
