/** Applies `apply` to every item, at most `limit` at a time; results stand in the order of the items. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  apply: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  if (items.length <= limit) return Promise.all(items.map((item) => apply(item)));
  const results: Result[] = Array.from({ length: items.length });
  const pending = items.entries();
  const takeTurns = async (): Promise<void> => {
    for (const [index, item] of pending) results[index] = await apply(item);
  };
  await Promise.all(Array.from({ length: limit }, takeTurns));
  return results;
}
