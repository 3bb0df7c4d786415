/**
 * The environment for the compiler and for the linter that asks it. They are Go programs that end before it would pay to
 * collect garbage, which is a third of the compiler's work otherwise; without it they take 2.4 GB at most, with it 1.8.
 */
export const compilerEnv = (): NodeJS.ProcessEnv => ({ ...process.env, GOGC: 'off', GOMEMLIMIT: '3GiB' });
