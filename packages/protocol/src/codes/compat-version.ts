/** The server version reported on the wire (connect result, `info`): the reference release this server behaves like. */
export const COMPAT_VERSION = '6.9.1 OSS';
