// Texts of any characters that there are, half a pair of surrogates excepted. fast-check has such an alphabet, which takes
// it most of a second to set up, in each process.
import fc from 'fast-check';

const character = fc
  .oneof(
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x7f }) },
    { weight: 1, arbitrary: fc.integer({ min: 0x80, max: 0xd7ff }) },
    { weight: 1, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
  )
  .map(point => String.fromCodePoint(point));

export const anyText = (options: { maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ ...options, unit: character });
