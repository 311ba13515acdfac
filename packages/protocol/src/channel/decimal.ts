// Numbers as tags filters compare them: exactly, whatever their length (client-protocol.md §6.1).

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** A number taken apart, without leading zeros in front and trailing ones behind. Zero is never negative. */
export interface Decimal {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

/** Optional sign, digits, optional fraction; anything else (exponents, spaces, a bare point) is not a number. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const whole = (match[2] ?? '').replace(/^0+/, '');
  const fraction = withoutTrailingZeros(match[3] ?? '');
  const isZero = whole === '' && fraction === '';
  return { isNegative: match[1] === '-' && !isZero, whole, fraction };
}

/** Below 0: `left` is less. 0: they are equal. Above 0: `left` is greater. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.isNegative !== right.isNegative) return left.isNegative ? -1 : 1;
  const magnitudes = compareMagnitudes(left, right);
  return left.isNegative ? -magnitudes : magnitudes;
}

function compareMagnitudes(left: Decimal, right: Decimal): number {
  if (left.whole.length !== right.whole.length) return left.whole.length - right.whole.length;
  return compareText(left.whole, right.whole) || compareText(left.fraction, right.fraction);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function withoutTrailingZeros(digits: string): string {
  // A loop, since /0+$/ tries every run of zeros and is quadratic on text an attacker chooses.
  let end = digits.length;
  while (end > 0 && digits.codePointAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}
