import { DecideReplySchema, DecideRequestSchema, PolicyService } from '../gen/cluster_pb.ts';
import { grpcMethods, type GrpcMethods } from '../wire/grpc-methods.ts';

/** Path and (de)serialisers of the internal service; `decide` is the stream, the others are single questions. */
export const policyMethods: GrpcMethods<typeof PolicyService> = grpcMethods(PolicyService);

/** Numbers of the fields named `batch` of both messages of the stream, for those who put encoded messages together. */
export const DECIDE_BATCH_FIELD: { readonly request: number; readonly reply: number } = Object.freeze({
  request: DecideRequestSchema.field.batch.number,
  reply: DecideReplySchema.field.batch.number,
});
