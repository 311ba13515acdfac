import { createSecureContext } from 'node:tls';
import { experimental, type ServerCredentials } from '@grpc/grpc-js';
import { OperationalError } from '../operational-error.ts';

/** PEM text. */
export interface GrpcTlsPems {
  readonly certPem: string;
  readonly keyPem: string;
  /** Not empty: clients need a certificate that it has signed. */
  readonly clientCaPem: string;
}

/** TLS of a gRPC listener. The certificate may change while it listens: handshakes after that get the new one. */
export interface GrpcCertificate {
  readonly credentials: ServerCredentials;
  /** Throws the OperationalError of the listener; the old one stays then. */
  use(tls: GrpcTlsPems): void;
}

type OnIdentity = experimental.IdentityCertificateUpdateListener;
type OnCa = experimental.CaCertificateUpdateListener;

/**
 * Throws an OperationalError with the code of the caller where the PEMs can't be used. `clientCaPem` counts as it is now:
 * whether clients need certificates can't change.
 */
export function createGrpcCertificate(tls: GrpcTlsPems, errorCode: string): GrpcCertificate {
  let current = checked(tls, errorCode);
  const identityListeners = new Set<OnIdentity>();
  const caListeners = new Set<OnCa>();
  const tellIdentity = (listener: OnIdentity): void =>
    listener({ certificate: Buffer.from(current.certPem), privateKey: Buffer.from(current.keyPem) });
  const tellCa = (listener: OnCa): void => listener({ caCertificate: Buffer.from(current.clientCaPem) });
  const provider: experimental.CertificateProvider = {
    // Told in a turn of its own: grpc-js misses what it is told while it adds the listener.
    addIdentityCertificateListener: (listener) => {
      identityListeners.add(listener);
      queueMicrotask(() => tellIdentity(listener));
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
    addCaCertificateListener: (listener) => {
      caListeners.add(listener);
      queueMicrotask(() => tellCa(listener));
    },
    removeCaCertificateListener: (listener) => void caListeners.delete(listener),
  };
  const needsClientCertificate = tls.clientCaPem !== '';
  return {
    credentials: experimental.createCertificateProviderServerCredentials(
      provider,
      needsClientCertificate ? provider : null,
      needsClientCertificate,
    ),
    use(next) {
      current = checked(next, errorCode);
      identityListeners.forEach(tellIdentity);
      if (current.clientCaPem !== '') caListeners.forEach(tellCa);
    },
  };
}

function checked(tls: GrpcTlsPems, errorCode: string): GrpcTlsPems {
  try {
    createSecureContext({
      cert: tls.certPem,
      key: tls.keyPem,
      ca: tls.clientCaPem === '' ? undefined : tls.clientCaPem,
    });
    return tls;
  } catch (cause) {
    throw new OperationalError(errorCode, 'the TLS certificate or key cannot be used', {
      cause,
      retriable: false,
    });
  }
}
