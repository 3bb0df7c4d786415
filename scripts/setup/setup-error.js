/** Something that the person at the terminal has to do; its message says what, and is shown without a stack. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}
