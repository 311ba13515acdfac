import type { Message } from '@bufbuild/protobuf';

/**
 * The plain form of a generated message, used everywhere outside the codecs: camelCase names, no type tags.
 *
 * - Every field may be absent. A decoded message never holds a zero scalar, an empty list or an empty map: on this wire
 *   absent and zero are the same, and both are `undefined`. A submessage that was present but empty is `{}`.
 * - 64-bit integers are numbers. Decoders clamp what is beyond ±(2^53 − 1); encoders refuse what is not a safe integer.
 * - `version` alone is exact, since publishers count in what they like, nanoseconds too: a bigint beyond 2^53 − 1. The two
 *   kinds of numbers compare with one another.
 * - `bytes` are `Uint8Array` views: in JSON the exact text of the value, in Protobuf the bytes as they are. A decoded view
 *   points into the frame it came from, so whoever decodes must own the frame.
 */
export type Wire<T> = { [K in Exclude<keyof T, '$typeName' | '$unknown'>]?: NamedField<K, T[K]> | undefined };

type NamedField<K, V> = K extends 'version' ? (V extends bigint ? number | bigint : WireField<V>) : WireField<V>;

type WireField<V> = V extends bigint
  ? number
  : V extends string | number | boolean
    ? V
    : V extends Uint8Array
      ? Uint8Array
      : V extends readonly (infer U)[]
        ? readonly WireField<U>[]
        : V extends Message
          ? Wire<V>
          : V extends { [key: string]: infer U }
            ? { readonly [key: string]: WireField<U> }
            : V;
