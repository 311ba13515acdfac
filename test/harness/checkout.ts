interface Workspace {
  readonly ROOT: string;
  readonly carillonNode: () => string;
}

// A script without types, which also runs before anything is installed: imported by address, typed here.
const address = new URL('../../packages/dev-tools/src/workspace.mjs', import.meta.url).href;
const workspace = (await import(/* @vite-ignore */ address)) as Workspace;

/** The folder of the checkout. */
export const ROOT: string = workspace.ROOT;

/** The Node that runs Carillon. */
export const carillonNode: () => string = workspace.carillonNode;
