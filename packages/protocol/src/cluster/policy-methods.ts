import { PolicyService } from '../gen/cluster_pb.ts';
import { grpcMethods, type GrpcMethods } from '../wire/grpc-methods.ts';

/** Path and (de)serialisers of the internal service; `decide` is the stream, the others are single questions. */
export const policyMethods: GrpcMethods<typeof PolicyService> = grpcMethods(PolicyService);
