/** The result of a method that has nothing to tell. One object, so that transports know it without looking into it. */
export const EMPTY_RESULT: Readonly<Record<string, never>> = Object.freeze({});
