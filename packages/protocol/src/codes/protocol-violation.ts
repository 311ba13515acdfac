/**
 * Thrown by every decoder for every kind of bad input, and nothing else is. On a client connection it becomes disconnect
 * 3501, on an HTTP endpoint status 400.
 */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
  readonly code = 'protocol_violation';
}
