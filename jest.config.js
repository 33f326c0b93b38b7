/**
 * One jest, five projects: `quick` needs nothing, `api` a real kube-apiserver with simulated nodes, `faults` one too, behind a
 * proxy that breaks things, `e2e` real Pods, and `rights` reads what all of them have asked of their API servers.
 */
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

/** An observer looks on. */
const observed = { ...common, setupFilesAfterEnv: ['<rootDir>/test/look-on.ts'] };

export default {
  // Generous: a machine may be slow, and a limit costs nothing when all is well.
  testTimeout: 600_000,
  projects: [
    {
      ...common,
      displayName: 'quick',
      testMatch: [
        '<rootDir>/test/{workbench,kube,registry,controller,rest,guard,contract,cluster,bench}/**/*.test.ts',
        '<rootDir>/test/*.test.ts',
      ],
    },
    { ...observed, displayName: 'api', testMatch: ['<rootDir>/test/api/**/*.test.ts'] },
    { ...common, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.test.ts'] },
    { ...observed, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
    { ...common, displayName: 'rights', testMatch: ['<rootDir>/test/rights/**/*.test.ts'] },
  ],
};
