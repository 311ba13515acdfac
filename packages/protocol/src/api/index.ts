export * from './api-messages.ts';
