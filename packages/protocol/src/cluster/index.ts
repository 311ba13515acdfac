export * from './decision.ts';
export { policyMethods } from './policy-methods.ts';
