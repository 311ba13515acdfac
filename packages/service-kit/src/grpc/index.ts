export { createGrpcCertificate, type GrpcCertificate, type GrpcTlsPems } from './grpc-certificate.ts';
