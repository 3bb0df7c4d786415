// Completes package-lock.json with the platform packages that npm left out: node scripts/setup/complete-lock.js
//
// npm drops from the lockfile every optional package that the registry at hand does not offer in that very
// version, and then `npm ci` refuses that same lockfile as out of step, on every machine. A registry mirror that
// keeps only the platforms it is asked for does this to any `npm install`. The names and exact versions stand in
// the packages that ask for them; what is added here is skipped by npm where it is for another platform, and
// fetched (without a checksum from the lockfile) where it is for this one.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   optionalDependencies?: Record<string, string> }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lockfile
 */

/**
 * The places of optional packages that the lockfile should have and has not, with the entry that each needs.
 * @param {Lockfile} lock
 * @returns {Record<string, LockedPackage>}
 */
export function missingPlatformPackages(lock) {
  /** @type {Record<string, LockedPackage>} */
  const missing = {};
  for (const [place, asking] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(asking.optionalDependencies ?? {})) {
      const top = `node_modules/${name}`;
      const nested = place === '' ? top : `${place}/${top}`;
      if (lock.packages[top] !== undefined || lock.packages[nested] !== undefined) continue;
      missing[top] = entryFor({ name, version, dev: asking.dev === true });
    }
  }
  return missing;
}

/**
 * @param {{ name: string, version: string, dev: boolean }} wanted
 * @returns {LockedPackage}
 */
function entryFor({ name, version, dev }) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const os = SYSTEMS.find(each => words.includes(each) || (each === 'win32' && words.includes('win')));
  const cpu = PROCESSORS.find(each => words.includes(each));
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`${name}@${version} does not say its platform or its exact version; add it by hand.`);
  }
  const libc = words.some(word => word.startsWith('musl')) ? 'musl' : 'glibc';
  const named = words.some(word => /^(musl|gnu)/.test(word));
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev: true } : {}),
    ...(os === 'linux' && named ? { libc: [libc] } : {}),
    optional: true,
    os: [os],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../package-lock.json');
  /** @type {Lockfile} */
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingPlatformPackages(lock);
  const packages = Object.entries({ ...lock.packages, ...missing });
  packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
  process.stdout.write(`${Object.keys(missing).length} platform packages added to package-lock.json\n`);
}
