export * from './proxy-messages.ts';
export { proxyGrpcMethods, proxyMethods, type ProxyMethod, type ProxyMethods } from './proxy-methods.ts';
