import { bool, type FieldsOf, type GroupField, pem, text } from './field.ts';

/** The TLS object (channels-and-config.md 3.7). PEM values are PEM text once loaded, if `enabled`. TLS 1.2 and above. */
export interface TlsConfig {
  readonly enabled: boolean;
  readonly certPem: string;
  readonly keyPem: string;
  readonly serverCaPem: string;
  readonly clientCaPem: string;
  readonly insecureSkipVerify: boolean;
  readonly serverName: string;
}

const tlsFields: FieldsOf<TlsConfig> = {
  enabled: bool('Turns TLS on.'),
  certPem: pem('Certificate chain.'),
  keyPem: pem('Private key.'),
  serverCaPem: pem('CA that the peer server must be signed by.'),
  clientCaPem: pem('CA that client certificates must be signed by; clients then need one.'),
  insecureSkipVerify: bool('Accept any certificate of the peer. Development only.'),
  serverName: text('Name expected in the certificate of the peer, instead of its host name.'),
};

/** A TLS object with its own description. */
export const tls = (doc: string): GroupField<FieldsOf<TlsConfig>> => ({
  kind: 'group',
  doc,
  fields: tlsFields,
  tls: true,
});
