export * from './proxy-messages.ts';
