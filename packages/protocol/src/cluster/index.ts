export * from './decision.ts';
export { DECIDE_BATCH_FIELD, policyMethods } from './policy-methods.ts';
