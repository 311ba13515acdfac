const POLL_MS = 10;
const GIVE_UP_MS = 20_000;

/** Repeats the check until it passes; throws its last error after `giveUpMs`. */
export async function eventually<T>(check: () => T | Promise<T>, giveUpMs: number = GIVE_UP_MS): Promise<T> {
  const giveUpAt = performance.now() + giveUpMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }
}
