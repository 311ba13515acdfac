const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

/** Applies a Fossil patch and checks it as strictly as the official clients do. Throws if it does not fit. */
export function applyDelta(source: Buffer, delta: Buffer): Buffer {
  let at = 0;
  const char = (): string => String.fromCharCode(delta[at++] ?? 0);
  const integer = (): number => {
    let value = 0;
    while (DIGITS.includes(String.fromCharCode(delta[at] ?? 0))) value = value * 64 + DIGITS.indexOf(char());
    return value;
  };
  const length = integer();
  if (char() !== '\n') throw new Error('the length has no end');
  const parts: Buffer[] = [];
  while (at < delta.length) {
    const count = integer();
    const operation = char();
    if (operation === '@') {
      const from = integer();
      if (char() !== ',') throw new Error('a copy has no end');
      if (from + count > source.length) throw new Error('a copy beyond the source');
      parts.push(source.subarray(from, from + count));
    } else if (operation === ':') {
      parts.push(delta.subarray(at, at + count));
      at += count;
    } else if (operation === ';') {
      const output = Buffer.concat(parts);
      if (output.length !== length) throw new Error('another length than told');
      if (checksum(output) !== count) throw new Error('another checksum than told');
      return output;
    } else throw new Error(`unknown operation ${operation}`);
  }
  throw new Error('the patch has no end');
}

function checksum(bytes: Buffer): number {
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  let sum = 0;
  for (let at = 0; at < padded.length; at += 4) sum = (sum + padded.readUInt32BE(at)) >>> 0;
  return sum;
}
