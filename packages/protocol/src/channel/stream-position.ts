/** A place in the history of a channel: `offset` publications since `epoch` began. Offset 0 is before the first. */
export interface StreamPosition {
  readonly offset: number;
  readonly epoch: string;
}
