// GTINs, as GS1's General Specifications have them (section 7.9): digits, the last of which checks the others.

/** True for a GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN) or GTIN-14 whose check digit is right. */
export function isGtin(text: string): boolean {
  if (!/^(\d{8}|\d{12,14})$/.test(text)) return false;
  // From the right, the check digit first: weights 1, 3, 1, 3 …; the weighted sum is a multiple of ten.
  const digits = Array.from(text, Number).toReversed();
  const sum = digits.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}
