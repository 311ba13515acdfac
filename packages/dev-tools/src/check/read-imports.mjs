const STATEMENT = /^[ \t]*(?:import|export)\s+(?<clause>[^'";]*?\s+from\s+)?(?<quote>['"])(?<from>[^'"]+)\k<quote>/gm;
const DYNAMIC = /\bimport\(\s*(?<quote>['"])(?<from>[^'"]+)\k<quote>/g;

/** What a source file imports or re-exports: `{ from, isType, line }`. */
export function readImports(text) {
  const statements = [...text.matchAll(STATEMENT)].map(({ groups, index, 0: statement }) => ({
    from: groups.from,
    isType: isTypeOnly(groups.clause ?? ''),
    index: index + statement.search(/import|export/),
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(({ groups, index }) => ({ from: groups.from, isType: false, index }));
  return [...statements, ...dynamic].map(({ from, isType, index }) => ({ from, isType, line: lineOf(text, index) }));
}

/** `type X …`, or braces in which each name has a `type` before it. */
function isTypeOnly(clause) {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{(?<names>[^}]*)\}\s+from\s+$/.exec(clause)?.groups.names;
  if (names === undefined) return false;
  const listed = names.split(',').map((name) => name.trim());
  return listed.filter((name) => name !== '').every((name) => name.startsWith('type '));
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}
